-- step_columns --
id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output,
started_at, finished_at

-- steps_of --
select {step_columns} from step where turn_id = %(turn)s order by position, kind, started_at, id

-- own_turn --
-- Nothing begins in a turn that has ended, or is not this owner's; whoever ends it comes after.
(select t.id from turn t, fence f
  where t.id = %(turn)s and t.state = 'running' and t.epoch = f.epoch for share of t) as own

-- begin_model_step --
-- Intent before the call. A successor that repeats an unanswered call takes the row over.
change as (
  insert into step (id, user_id, turn_id, position, kind, name, epoch, input)
  select %(step)s, fence.user_id, %(turn)s, %(position)s, 'model', %(name)s, fence.epoch, %(input)s
    from fence, {own_turn}
      on conflict (id) do update set epoch = excluded.epoch
   where step.state = 'intent' and step.epoch < excluded.epoch
  returning %(thread)s::text as thread_id, turn_id, id as step_id, '{}'::jsonb as note
)
-- then
, said as (
  insert into message (id, user_id, thread_id, turn_id, seq, role, content)
  select %(message)s, fence.user_id, %(thread)s, %(turn)s, counter.last_seq, 'tool', %(results)s
    from fence, counter where %(results)s::jsonb is not null
      on conflict (id) do nothing
)

-- finish_model_step --
-- The reply is journaled here, before any tool it asks for can run. A reply that asks for none
-- ends its turn in the same statement; the turn's row is locked before the step's, as by all who
-- end a turn.
change as (
  update step set state = 'done', output = %(output)s, finished_at = clock_timestamp()
    from fence, (select id from turn where id = %(turn)s for no key update) as own
   where step.id = %(step)s and step.turn_id = own.id and step.epoch = fence.epoch
     and step.state = 'intent'
  returning %(thread)s::text as thread_id, step.turn_id, step.id as step_id, '{}'::jsonb as note
)
-- then
, said as (
  insert into message (id, user_id, thread_id, turn_id, seq, role, content)
  select %(message)s, fence.user_id, %(thread)s, change.turn_id,
         counter.last_seq - cardinality(%(types)s::text[]) + 1, 'assistant', %(content)s
    from fence, change, counter
), ended as (
  update turn set state = 'completed', result = %(result)s, finished_at = clock_timestamp()
    from fence, change
   where %(ends)s and turn.id = change.turn_id and turn.epoch = fence.epoch
     and turn.state = 'running'
)

-- claim_tool --
-- Intent before the effect. Of what an earlier epoch left unfinished, only calls that may run
-- twice are taken over; the others return no row, and the caller decides on what it finds.
change as (
  insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, epoch, input)
  select %(step)s, fence.user_id, %(turn)s, %(position)s, 'tool', %(name)s, %(tool_use)s,
         %(effect)s, fence.epoch, %(input)s from fence, {own_turn}
      on conflict (id) do update set epoch = excluded.epoch
   where step.state = 'intent' and step.epoch < excluded.epoch
     and step.effect in ('read_only', 'idempotent')
  returning %(thread)s::text as thread_id, turn_id, id as step_id,
            jsonb_build_object('epoch', epoch) as note
)

-- finish_tool --
change as (
  update step set state = %(state)s, output = %(output)s, epoch = fence.epoch,
         finished_at = clock_timestamp()
    from fence where step.id = %(step)s and step.state = 'intent'
  returning %(thread)s::text as thread_id, step.turn_id, step.id as step_id, '{}'::jsonb as note
)

-- begin_prompt --
-- Whom a prompt will go to and under which ids, before it is sent: a successor looks for it there
-- instead of asking again. Its session is the sub-agent's from now on.
begun as (
  insert into step (id, user_id, turn_id, position, kind, name, epoch, input)
  select %(step)s, fence.user_id, %(turn)s, %(position)s, 'prompt', 'opencode', fence.epoch,
         %(input)s
    from fence, {own_turn}
      on conflict (id) do update set epoch = excluded.epoch
   where step.state = 'intent' and step.epoch < excluded.epoch
  returning %(thread)s::text as thread_id, turn_id, id as step_id,
            jsonb_build_object('epoch', epoch) as note
), kept as (
  update sub_agent set session_id = %(input)s::jsonb ->> 'session_id' from fence, begun
   where sub_agent.lease_key = fence.key
  returning sub_agent.id
), change as (
  -- What reads this comes after it: the stream's row is locked last.
  select begun.* from begun where (select count(*) from kept) >= 0
)

-- finish_prompt --
-- With nothing said it is given up: its session is gone, and what became of it is unknown.
change as (
  update step set state = %(state)s, output = %(output)s, finished_at = clock_timestamp()
    from fence
   where step.id = %(step)s and step.epoch = fence.epoch and step.state = 'intent'
  returning %(thread)s::text as thread_id, step.turn_id, step.id as step_id, '{}'::jsonb as note
)
-- then
, said as (
  insert into message (id, user_id, thread_id, turn_id, seq, role, content)
  select %(message)s, fence.user_id, %(thread)s, change.turn_id, counter.last_seq, 'assistant',
         %(content)s
    from fence, change, counter where %(content)s::jsonb is not null
)

-- tell_progress --
change as (
  select %(thread)s::text as thread_id, %(turn)s::text as turn_id, %(step)s::text as step_id,
         '{}'::jsonb as note from fence
)

-- step_of_session --
-- The running prompt of an OpenCode session: what a model call of that session is booked to.
select s.turn_id, s.id as step_id from step s join turn t on t.id = s.turn_id
 where s.kind = 'prompt' and s.input ->> 'session_id' = %(session)s and s.user_id = %(user)s
 order by s.started_at desc limit 1

-- prompt_under_way --
select s.turn_id, s.id as step_id from turn t join step s on s.turn_id = t.id
 where t.user_id = %(user)s and t.state in ('queued', 'running', 'waiting')
   and s.kind = 'prompt' and s.state = 'intent'
 order by s.started_at desc limit 1

-- newest_prompt --
select {step_columns} from step where turn_id = %(turn)s and kind = 'prompt' order by position desc limit 1

-- get_step --
select {step_columns} from step where id = %(step)s
