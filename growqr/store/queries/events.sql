-- events_after --
select seq, type, time, thread_id, turn_id, step_id, actor, data from event
 where user_id = %(user)s and seq > %(seq)s order by seq limit %(limit)s

-- thread_events_after --
select seq, type, time, thread_id, turn_id, step_id, actor, data from event
 where user_id = %(user)s and thread_id = %(thread)s and seq > %(seq)s order by seq limit %(limit)s

-- event_bounds --
select retention_floor, last_seq from stream where user_id = %(user)s

-- last_seqs --
select user_id, last_seq from stream where user_id = any(%(users)s)

-- notify --
select pg_notify(n.channel, n.payload)
  from unnest(%(channels)s::text[], %(payloads)s::text[]) as n(channel, payload)
