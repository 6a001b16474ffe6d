-- turn_columns --
id, user_id, thread_id, lease_key, state, waiting, epoch, claims, cancel_requested, result, error,
created_at, started_at, finished_at, deadline_at, parent_step, seq, waiting_since,
extract(epoch from deadline_at - clock_timestamp())::float8 as seconds_left

-- get_turn --
select {turn_columns} from turn where id = %(turn)s and (%(user)s::text is null or user_id = %(user)s)

-- turns_named --
select {turn_columns} from turn where id = any(%(turns)s) and user_id = %(user)s order by seq

-- unfinished_turns --
select {turn_columns} from turn where lease_key = %(key)s and state in ('queued', 'running', 'waiting') order by seq

-- unfinished_of_user --
select {turn_columns} from turn
 where user_id = %(user)s and state in ('queued', 'running', 'waiting') order by seq

-- claim_turn --
-- The oldest turn that may run: abandoned ones of earlier epochs first, else a queued one whose
-- thread is free. Threads do not wait for each other. What a turn waited is not of its time.
change as (
  update turn set state = 'running', epoch = fence.epoch, claims = claims + 1,
         started_at = coalesce(started_at, clock_timestamp()), waiting_since = null,
         deadline_at = coalesce(deadline_at + coalesce(clock_timestamp() - waiting_since, '0'),
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
      order by t.state = 'running' desc, t.seq limit 1 for no key update of t)
  returning turn.thread_id, turn.id as turn_id, null::text as step_id,
            jsonb_build_object('epoch', turn.epoch, 'claims', turn.claims,
                               'resumed', turn.claims > 1) as note
)

-- lock_ending_turn --
-- Whoever ends a turn takes first the row of the turn that waits for it, then its own: so it sees
-- every step begun before.
select 1 from turn where id = %(turn)s or id = (
  select p.turn_id from turn t join step p on p.id = t.parent_step where t.id = %(turn)s)
 order by id = %(turn)s for no key update

-- lock_turn --
select 1 from turn where id = %(turn)s for no key update

-- parent_step --
select p.id, p.turn_id, p.tool_use_id, p.name, p.state = 'intent' as open, t.thread_id, t.lease_key
  from turn child join step p on p.id = child.parent_step join turn t on t.id = p.turn_id
 where child.id = %(turn)s

-- end_steps --
-- No step outlives its turn: what was under way is over, and whether it happened is said.
closed as (
  update step set finished_at = clock_timestamp(), output = %(interrupted)s,
         state = case when effect in ('reconcilable', 'unsafe') then 'unknown' else 'failed' end
    from ended where step.turn_id = ended.turn_id and step.state = 'intent'
  returning step.id
), unasked as (
  update decision set state = 'closed', answered_at = clock_timestamp()
    from ended where decision.turn_id = ended.turn_id and decision.state = 'open'
  returning decision.id
)

-- answer_parent --
-- The end of a sub-agent's turn is the result of the tool call that asked for it, once; the
-- parent goes on when no other call is open.
answered as (
  update step set state = %(parent_state)s, output = %(parent_output)s,
         finished_at = clock_timestamp()
    from ended where step.id = ended.parent_step and step.state = 'intent'
  returning step.id, step.turn_id
), requeued as (
  update turn set state = 'queued', waiting = null, claims = 0 from answered
   where turn.id = answered.turn_id and turn.state = 'waiting'
     and not exists (select 1 from decision d where d.turn_id = turn.id and d.state = 'open')
     and not exists (select 1 from step s where s.turn_id = turn.id and s.kind = 'tool'
                        and s.state = 'intent' and s.id <> answered.id)
  returning turn.id
), settled as (
  -- What reads this comes after them: the stream's row is locked last.
  select (select count(*) from closed) + (select count(*) from unasked)
         + (select count(*) from requeued) as rows
)

-- finish_turn --
ended as (
  update turn set state = %(state)s, result = %(result)s, error = %(error)s, waiting = null,
         finished_at = clock_timestamp()
    from fence
   where turn.id = %(turn)s and turn.epoch = fence.epoch and turn.state = any(%(sources)s)
  returning turn.thread_id, turn.id as turn_id, turn.parent_step
),
{end_steps},
{answer_parent},
change as (
  select thread_id, turn_id, null::text as step_id, '{}'::jsonb as note from ended
   where (select rows from settled) >= 0
)

-- wait_turn --
-- Only while something is open: a decision, or a tool call that a sub-agent's turn will answer. What
-- was quicker has closed it, and the turn goes on.
change as (
  update turn set state = 'waiting', waiting_since = clock_timestamp(), waiting = coalesce(
         (select case d.kind when 'question' then 'answer' else d.kind end from decision d
           where d.turn_id = turn.id and d.state = 'open' order by d.id limit 1), 'sub_agent')
    from fence
   where turn.id = %(turn)s and turn.epoch = fence.epoch and turn.state = 'running'
     and not turn.cancel_requested
     and (exists (select 1 from decision d where d.turn_id = turn.id and d.state = 'open')
          or exists (select 1 from step s
                      where s.turn_id = turn.id and s.kind = 'tool' and s.state = 'intent'))
  returning turn.thread_id, turn.id as turn_id, null::text as step_id,
            jsonb_build_object('waiting', turn.waiting) as note
)

-- end_turn --
-- From outside, without a fence: by a person, or because its time is over. A running turn is asked
-- to end and its owner ends it, unless `force`d; withdrawing ends only what nobody has begun.
with asked as (
  update turn set cancel_requested = true, waiting = null, error = %(error)s,
         state = case when state = 'running' and not %(force)s then state else %(state)s end,
         finished_at = case when state = 'running' and not %(force)s then null
                            else clock_timestamp() end
   where id = %(turn)s and user_id = %(user)s and state in ('queued', 'running', 'waiting')
     and (not %(unbegun)s or started_at is null)
  returning id as turn_id, thread_id, state, parent_step
), ended as (
  select * from asked where state = %(state)s
),
{end_steps},
{answer_parent},
counter as (
  update stream set last_seq = last_seq + cardinality(%(types)s::text[]) from ended
   where user_id = %(user)s and (select rows from settled) >= 0 returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, turn_id, step_id, actor, data)
  select %(user)s, counter.last_seq - cardinality(%(types)s::text[]) + e.nr, e.type,
         coalesce(e.thread_id, ended.thread_id), coalesce(e.turn_id, ended.turn_id), e.step_id,
         %(actor)s, e.data
    from ended, counter,
         unnest(%(types)s::text[], %(threads)s::text[], %(turns)s::text[], %(steps)s::text[],
                %(datas)s::jsonb[]) with ordinality as e(type, thread_id, turn_id, step_id, data, nr)
)
select asked.turn_id, counter.last_seq as seq from asked left join counter on true

-- child_of_step --
select id from turn where parent_step = %(step)s

-- child_turns --
select t.id from turn t join step p on p.id = t.parent_step
 where p.turn_id = %(turn)s and t.state in ('queued', 'running', 'waiting')

-- turn_of_message --
select turn_id from message where id = %(message)s and user_id = %(user)s and role = 'user'
