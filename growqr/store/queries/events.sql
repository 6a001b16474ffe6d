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

-- trouble_before --
-- What befell a user's services and the tools inside since the thread's last turn ended, at most
-- `seconds` before this one came; the newest first. Tools of the thread itself have told it already.
select e.seq, e.type, e.time, e.thread_id, e.turn_id, e.step_id, e.actor, e.data
  from turn now join event e on e.user_id = now.user_id
 where now.id = %(turn)s
   and e.type in ('service.unhealthy', 'service.decided', 'service.failed', 'tool.unknown')
   and e.thread_id is distinct from now.thread_id
   and e.time > greatest(
         now.created_at - make_interval(secs => %(seconds)s),
         (select max(p.finished_at) from turn p
           where p.thread_id = now.thread_id and p.seq < now.seq))
 order by e.seq desc limit %(limit)s

-- events_of_services --
select seq, type, time, thread_id, turn_id, step_id, actor, data from event
 where user_id = %(user)s and type like 'service.%%' order by seq desc limit %(limit)s

-- event_bounds --
select retention_floor, last_seq from stream where user_id = %(user)s

-- last_seqs --
select user_id, last_seq from stream where user_id = any(%(users)s)

-- notify --
select pg_notify(n.channel, n.payload)
  from unnest(%(channels)s::text[], %(payloads)s::text[]) as n(channel, payload)
