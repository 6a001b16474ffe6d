-- snapshot_now --
-- The moment that all reads of this transaction see.
select now() as now

-- snapshot_leases --
-- Agents that are awake, and whoever has work.
select key, epoch, expires_at as until, start_since from lease
 where expires_at > now()
   and exists (select 1 from unnest(%(kinds)s::text[]) as kind where starts_with(key, kind))
 union
select key, epoch, case when expires_at > now() then expires_at end as until, start_since from lease
 where key in (select lease_key from turn where state in ('queued', 'running'))

-- snapshot_turns --
-- Of each thread the turn under way, else the first in line; those behind it wait for it alone.
-- A queued one has been free since it came, was queued again, or the one before it ended: whatever
-- its thread's journal tells of last.
with head as (
  select distinct on (thread_id) * from turn where state in ('queued', 'running', 'waiting')
   order by thread_id, state = 'queued', seq
)
select id, lease_key, state, waiting, epoch, cancel_requested, deadline_at,
       case state
         when 'running' then coalesce(started_at, created_at)
         when 'waiting' then coalesce(waiting_since, created_at)
         else greatest(created_at, waiting_since, (
           select e.time from event e
            where e.thread_id = head.thread_id
              and (e.turn_id = head.id or e.type in ('turn.completed', 'turn.failed', 'turn.cancelled'))
            order by e.seq desc limit 1))
       end as since,
       state = 'waiting' and exists (
         select 1 from step s join turn child on child.parent_step = s.id
          where s.turn_id = head.id and s.kind = 'tool'
            and child.state in ('queued', 'running', 'waiting')) as delegated
  from head

-- snapshot_decisions --
select id, turn_id, expires_at from decision where state = 'open'

-- snapshot_timers --
select id, user_id, due from timer where due <= now()
   and not exists (select 1 from users where id = timer.user_id and suspended_at is not null)
 order by due limit 200

-- snapshot_services --
-- Services that are not as they should be, since the last wish, sight or pause. One that is paused
-- or was left rests until it is used.
select user_id, role, desired, state, greatest(updated_at, used_at, retry_at) as since from service
 where desired = 'ready' and state not in ('ready', 'failed')
       and not (state = 'paused' and used_at <= updated_at)
       and not (state = 'stopped' and decision is not distinct from 'leave')
    or desired = 'stopped' and state not in ('stopped', 'absent', 'failed')

-- await_start --
-- From now on a start of the next epoch is awaited.
update lease set start_since = clock_timestamp()
 where key = %(key)s and epoch = %(epoch)s and expires_at < clock_timestamp() returning key

-- requeue_turn --
-- A turn that waits while nothing is open any more goes on; whoever claims it looks for itself. What
-- it waited is paid into its time here, and claims count on, so that this cannot go round for ever.
update turn set state = 'queued', waiting = null, waiting_since = clock_timestamp(),
       deadline_at = deadline_at + coalesce(clock_timestamp() - waiting_since, '0')
 where id = %(turn)s and state = 'waiting'
   and not exists (select 1 from decision d where d.turn_id = turn.id and d.state = 'open')
   and not exists (select 1 from step s join turn child on child.parent_step = s.id
                    where s.turn_id = turn.id and s.kind = 'tool'
                      and child.state in ('queued', 'running', 'waiting'))
returning lease_key
