-- snapshot --
set transaction isolation level repeatable read, read only

-- events_after --
-- No more than about `size` bytes, as they are stored: many small events come at once, large ones
-- one by one.
select seq, type, time, thread_id, turn_id, step_id, actor, data from (
  select *, sum(pg_column_size(data)) over (order by seq) - pg_column_size(data) as before from (
    select * from event where user_id = %(user)s and seq > %(seq)s
     order by seq limit %(limit)s) as next) as sized
 where before < %(size)s order by seq

-- thread_events_after --
select seq, type, time, thread_id, turn_id, step_id, actor, data from (
  select *, sum(pg_column_size(data)) over (order by seq) - pg_column_size(data) as before from (
    select * from event
     where user_id = %(user)s and thread_id = %(thread)s and seq > %(seq)s
     order by seq limit %(limit)s) as next) as sized
 where before < %(size)s order by seq

-- event_bounds --
select retention_floor, last_seq from stream where user_id = %(user)s

-- last_seqs --
select user_id, last_seq from stream where user_id = any(%(users)s)

-- notify --
select pg_notify(n.channel, n.payload)
  from unnest(%(channels)s::text[], %(payloads)s::text[]) as n(channel, payload)
