-- get_turn --
select id, user_id, thread_id, lease_key, state, waiting, epoch, claims, cancel_requested, result,
       error, created_at, started_at, finished_at, deadline_at
  from turn where id = %(turn)s and (%(user)s::text is null or user_id = %(user)s)

-- unfinished_turns --
select id, user_id, thread_id, lease_key, state, waiting, epoch, claims, cancel_requested, result,
       error, created_at, started_at, finished_at, deadline_at
  from turn where lease_key = %(key)s and state in ('queued', 'running', 'waiting') order by seq

-- claim_turn --
-- The oldest turn that may run: abandoned ones of earlier epochs first, else a queued one whose
-- thread is free. Threads do not wait for each other.
change as (
  update turn set state = 'running', epoch = fence.epoch, claims = claims + 1,
         started_at = coalesce(started_at, clock_timestamp()),
         deadline_at = coalesce(deadline_at,
                                clock_timestamp() + make_interval(secs => %(deadline)s))
    from fence
   where turn.id = (
     select t.id from turn t, fence f
      where t.lease_key = f.key
        and (t.state = 'running' and t.epoch < f.epoch
             or t.state = 'queued' and not exists (
                  select 1 from turn busy
                   where busy.thread_id = t.thread_id
                     and (busy.state in ('running', 'waiting')
                          or busy.state = 'queued' and busy.seq < t.seq)))
      order by t.state = 'running' desc, t.seq limit 1 for update of t)
  returning turn.thread_id, turn.id as turn_id, null::text as step_id,
            jsonb_build_object('epoch', turn.epoch, 'claims', turn.claims,
                               'resumed', turn.claims > 1) as note
)

-- finish_turn --
change as (
  update turn set state = %(state)s, result = %(result)s, error = %(error)s, waiting = null,
         finished_at = clock_timestamp()
    from fence
   where turn.id = %(turn)s and turn.epoch = fence.epoch and turn.state = any(%(sources)s)
  returning turn.thread_id, turn.id as turn_id, null::text as step_id, '{}'::jsonb as note
)
-- then
, closed as (
  -- No step outlives its turn: what was under way is over, and whether it happened is said.
  update step set finished_at = clock_timestamp(), output = %(interrupted)s,
         state = case when effect in ('reconcilable', 'unsafe') then 'unknown' else 'failed' end
    from change where step.turn_id = change.turn_id and step.state = 'intent'
)

-- cancel_turn --
-- A queued turn ends here; a running one is asked to, and its owner ends it.
with t as (
  update turn set cancel_requested = true,
         state = case when state = 'queued' then 'cancelled' else state end,
         finished_at = case when state = 'queued' then clock_timestamp() end
   where id = %(turn)s and user_id = %(user)s and state in ('queued', 'running', 'waiting')
  returning id, thread_id, state
), counter as (
  update stream set last_seq = last_seq + 1 from t
   where user_id = %(user)s and t.state = 'cancelled' returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, turn_id, actor, data)
  select %(user)s, last_seq, 'turn.cancelled', t.thread_id, t.id, %(user)s, '{}' from t, counter
)
select t.id, counter.last_seq as seq from t left join counter on true
