-- decision_columns --
id, user_id, thread_id, turn_id, step_id, kind, asked, options, state, answer, answered_by,
created_at, expires_at, answered_at, used_at

-- get_decision --
select {decision_columns} from decision
 where id = %(decision)s and (%(user)s::text is null or user_id = %(user)s)

-- open_decisions --
select {decision_columns} from decision
 where user_id = %(user)s and kind = any(%(kinds)s) and state = 'open' and id > %(after)s
 order by id limit %(limit)s

-- all_decisions --
select {decision_columns} from decision
 where user_id = %(user)s and kind = any(%(kinds)s) and id > %(after)s order by id limit %(limit)s

-- decisions_of_turns --
select {decision_columns} from decision
 where turn_id = any(%(turns)s) and user_id = %(user)s order by id

-- decision_of_step --
-- The newest one about a step: what was said last counts.
select {decision_columns} from decision where step_id = %(step)s order by created_at desc limit 1

-- ask --
-- One row per thing asked; a repeat meets its own.
change as (
  insert into decision (id, user_id, thread_id, turn_id, step_id, kind, asked, options, expires_at)
  select %(decision)s, fence.user_id, %(thread)s, own.id, %(step)s, %(kind)s, %(asked)s,
         %(options)s, clock_timestamp() + make_interval(secs => %(expiry)s)
    from fence, {own_turn}
      on conflict (id) do nothing
  returning thread_id, turn_id, step_id,
            jsonb_build_object('decision_id', id, 'expires_at', expires_at) as note
)

-- ask_about_unknown --
-- The call whose outcome nobody knows, and the question whether to make it again, in one write.
unknown as (
  update step set state = 'unknown', output = %(output)s, finished_at = clock_timestamp()
    from fence, {own_turn}
   where step.id = %(step)s and step.turn_id = own.id and step.state = 'intent'
     and step.epoch < fence.epoch
  returning step.id, step.turn_id
), change as (
  insert into decision (id, user_id, thread_id, turn_id, step_id, kind, asked, options, expires_at)
  select %(decision)s, fence.user_id, %(thread)s, unknown.turn_id, unknown.id, 'approval',
         %(asked)s, %(options)s, clock_timestamp() + make_interval(secs => %(expiry)s)
    from fence, unknown
      on conflict (id) do nothing
  returning thread_id, turn_id, step_id,
            jsonb_build_object('decision_id', id, 'expires_at', expires_at) as note
)

-- lock_decided --
-- Whoever answers holds the turn's row, as whoever ends it or a turn it waits for.
select 1 from turn where id = (
  select turn_id from decision
   where id = %(decision)s and (%(user)s::text is null or user_id = %(user)s)) for no key update

-- decide --
-- Answered once. A question's answer is the result of the tool call that asked it; the turn goes on
-- when nothing else of it is open. The log has what a person decided, without their words.
with decided as (
  update decision set state = %(state)s, answer = %(answer)s, answered_by = %(by)s,
         answered_at = clock_timestamp()
   where id = %(decision)s and state = 'open'
     and (%(state)s = 'expired') = (expires_at <= clock_timestamp())
  returning *
), answered as (
  update step set state = %(step_state)s, output = %(output)s, finished_at = clock_timestamp()
    from decided
   where decided.kind = 'question' and step.id = decided.step_id and step.state = 'intent'
  returning step.id
), requeued as (
  update turn set state = 'queued', waiting = null, claims = 0 from decided
   where turn.id = decided.turn_id and turn.state = 'waiting'
     and not exists (select 1 from decision o where o.turn_id = turn.id and o.state = 'open'
                        and o.id <> decided.id)
     and not exists (select 1 from step s where s.turn_id = turn.id and s.kind = 'tool'
                        and s.state = 'intent' and s.id is distinct from decided.step_id)
  returning turn.id
), counter as (
  update stream set last_seq = last_seq + cardinality(%(types)s::text[]) from decided
   where stream.user_id = decided.user_id
     and (select count(*) from answered) + (select count(*) from requeued) >= 0
  returning last_seq
), heard as (
  insert into event (user_id, seq, type, thread_id, turn_id, step_id, actor, data)
  select decided.user_id, counter.last_seq - cardinality(%(types)s::text[]) + e.nr, e.type,
         decided.thread_id, decided.turn_id, decided.step_id, %(by)s, e.data
    from decided, counter,
         unnest(%(types)s::text[], %(datas)s::jsonb[]) with ordinality as e(type, data, nr)
), told as (
  select id as subject from decided where state <> 'expired'
), noted as ({note})
select decided.user_id, counter.last_seq as seq, lease.key, lease.epoch,
       lease.expires_at > clock_timestamp() as live
  from decided, counter, turn, lease
 where turn.id = decided.turn_id and lease.key = turn.lease_key

-- repeat_tool --
-- Claimed again: what an earlier owner began is known not to have happened, or a person said to do
-- it again, which is good for once.
allowed as (
  update decision set used_at = clock_timestamp() from fence, {own_turn}
   where decision.id = %(decision)s and decision.turn_id = own.id
     and decision.state = 'approved' and decision.used_at is null
  returning decision.id
), change as (
  update step set state = 'intent', epoch = fence.epoch, output = null, finished_at = null
    from fence, {own_turn}
   where step.id = %(step)s and step.turn_id = own.id
     and (step.state = 'intent' and step.epoch < fence.epoch and %(decision)s::text is null
          or step.state = 'unknown' and exists (select 1 from allowed))
  returning %(thread)s::text as thread_id, step.turn_id, step.id as step_id,
            jsonb_build_object('epoch', step.epoch) as note
)
