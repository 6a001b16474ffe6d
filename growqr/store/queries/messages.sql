-- accept_message --
-- Message, queued turn and event in one statement: after its commit nothing can be lost.
-- In a sub-agent's channel the turn is the sub-agent's, else the Grow Agent's. What is delegated
-- is asked with the API key of whoever delegates. The user is held, so that whoever suspends them
-- waits for it, and cancels it, or is waited for. Returns the lease of whoever has to do it; no row:
-- no such thread, a suspended user, or a stale fence where one is given.
with fence as (
  select key from lease
   where key = %(fence_key)s::text and epoch = %(fence_epoch)s::bigint for no key update
), welcome as (
  select id from users where id = %(user)s and suspended_at is null for share
), place as (
  select t.id, coalesce(s.lease_key, %(lease_key)s) as lease_key
    from welcome join thread t on t.user_id = welcome.id
    left join sub_agent s on s.thread_id = t.id
   where (t.id = %(thread)s or (%(thread)s::text is null and t.kind = 'master'))
     and (%(fence_key)s::text is null or exists (select 1 from fence))
), counter as (
  update stream set last_seq = last_seq + 1 from place
   where stream.user_id = %(user)s returning last_seq
), queued as (
  insert into turn (id, user_id, thread_id, lease_key, seq, parent_step, api_key)
  select %(turn)s, %(user)s, place.id, place.lease_key, last_seq, %(parent_step)s,
         coalesce(%(api_key)s::text, (select t.api_key from step s join turn t on t.id = s.turn_id
                                       where s.id = %(parent_step)s))
    from place, counter
), said as (
  insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha)
  select %(message)s, %(user)s, place.id, %(turn)s, last_seq, 'user', %(content)s,
         %(client_key)s, %(body_sha)s from place, counter
), told as (
  insert into event (user_id, seq, type, thread_id, turn_id, actor, data)
  select %(user)s, last_seq, 'message.created', place.id, %(turn)s, %(user)s, %(event)s
    from place, counter
)
select place.id as thread_id, counter.last_seq as seq, lease.key, lease.epoch,
       lease.expires_at > clock_timestamp() as live
  from place, counter, lease where lease.key = place.lease_key

-- message_by_client_key --
select m.id, m.turn_id, m.thread_id, m.seq, m.body_sha, lease.key, lease.epoch,
       lease.expires_at > clock_timestamp() as live
  from message m join turn on turn.id = m.turn_id join lease on lease.key = turn.lease_key
 where m.user_id = %(user)s and m.client_key = %(client_key)s

-- withdrawn --
(t.state = 'cancelled' and t.error ->> 'code' is not distinct from 'withdrawn')

-- messages_after --
-- Without those that were taken back. Of others, stopped before anybody began, no model hears.
select m.id, m.thread_id, m.turn_id, m.seq, m.role, m.content, m.created_at
  from message m join turn t on t.id = m.turn_id
 where m.user_id = %(user)s and m.thread_id = %(thread)s and m.seq > %(seq)s
   and not {withdrawn}
 order by m.seq limit %(limit)s

-- messages_before --
select * from (
  select m.id, m.thread_id, m.turn_id, m.seq, m.role, m.content, m.created_at
    from message m join turn t on t.id = m.turn_id
   where m.user_id = %(user)s and m.thread_id = %(thread)s and m.seq < %(seq)s
     and not {withdrawn}
   order by m.seq desc limit %(limit)s) as newest
 order by seq

-- text_of_turn --
select content from message where turn_id = %(turn)s and role = 'user' order by seq limit 1

-- conversation --
-- What a turn's model is told: the newest turns of its thread up to itself, each with its own
-- messages together, however they were interleaved. What nobody began with was never said.
with newest as (
  select t.id, t.seq from turn t, turn now
   where now.id = %(turn)s and t.thread_id = now.thread_id and t.seq <= now.seq
     and not (t.state = 'cancelled' and t.started_at is null)
   order by t.seq desc limit %(turns)s
)
select m.id, m.thread_id, m.turn_id, m.seq, m.role, m.content, m.created_at
  from newest join message m on m.turn_id = newest.id order by newest.seq, m.seq

-- done_before --
-- What was asked, done and answered in the thread of a sub-agent's turn up to itself, newest turn
-- first; `total` counts the turns beyond the limit too.
select t.id, t.state, t.error ->> 'message' as error, count(*) over () as total,
       (select left(string_agg(block ->> 'text', E'\n\n'), %(chars)s)
          from (select content from message where turn_id = t.id and role = 'user'
                 order by seq limit 1) as m, jsonb_array_elements(m.content) as block) as task,
       (select left(string_agg(block ->> 'text', E'\n\n' order by m.seq), %(chars)s)
          from message m, jsonb_array_elements(m.content) as block
         where m.turn_id = t.id and m.role = 'assistant') as answer,
       (select coalesce(jsonb_agg(jsonb_build_object(
                 'name', s.name, 'state', s.state, 'input', left(s.input::text, %(brief)s),
                 'output', left(s.output ->> 'content', %(brief)s)
               ) order by s.started_at, s.id), '[]')
          from (select * from step where turn_id = t.id and kind = 'tool'
                 order by started_at desc, id desc limit %(tools)s) as s) as tools
  from turn now join turn t
    on t.user_id = now.user_id and t.thread_id = now.thread_id and t.seq <= now.seq
   and not (t.state = 'cancelled' and t.started_at is null)
 where now.id = %(turn)s order by t.seq desc limit %(turns)s
