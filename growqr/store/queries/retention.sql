-- oldest_events --
-- The next users by id, and whether the oldest event of each is due. `seq` counts without a gap,
-- so what lies beyond the allowed number shows without a look at the events.
select s.user_id,
       s.last_seq - s.retention_floor > %(events)s
       or coalesce(oldest.time < clock_timestamp() - make_interval(secs => %(seconds)s), false)
       as due
  from (select user_id, last_seq, retention_floor from stream
         where user_id > %(after)s order by user_id limit %(users)s) s
  left join lateral (select time from event
                      where event.user_id = s.user_id and seq > s.retention_floor
                      order by seq limit 1) oldest on true
 order by s.user_id

-- trim_events --
-- The oldest events of one user, and the floor above which none is missing. The stream's row is
-- held first, so a reader of the floor sees both or neither; `limit` bounds how long.
with held as (
  select user_id, last_seq, retention_floor from stream
   where user_id = %(user)s for no key update
), due as (
  select max(e.seq) as cut
    from held, lateral (select seq, time from event
                         where user_id = held.user_id and seq > held.retention_floor
                         order by seq limit %(limit)s) e
   where e.seq <= held.last_seq - %(events)s
      or e.time < clock_timestamp() - make_interval(secs => %(seconds)s)
), gone as (
  delete from event using held, due
   where event.user_id = held.user_id and seq > held.retention_floor and seq <= due.cut
  returning seq
), floor as (
  update stream set retention_floor = due.cut from held, due
   where stream.user_id = held.user_id and due.cut is not null
)
select count(*) as removed from gone

-- drop_answers --
delete from idempotency where ctid = any(array(
  select ctid from idempotency where created_at < clock_timestamp() - interval '24 hours'
   order by created_at limit %(limit)s))

-- drop_refusals --
-- The one thing that ever leaves the audit log; the database itself holds whatever was done.
delete from audit where id = any(array(
  select id from audit where outcome = 'refused'
     and at < clock_timestamp() - make_interval(secs => %(seconds)s) order by at limit %(limit)s))
