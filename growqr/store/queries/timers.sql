-- timer_columns --
id, user_id, thread_id, due, text, created_at, api_key

-- known_timer --
-- One that is set, or the message that it has become.
select {timer_columns} from timer where id = %(timer)s
 union all
select %(timer)s, user_id, thread_id, created_at, content -> 0 ->> 'text', created_at, null
  from message where id = %(message)s
 limit 1

-- list_timers --
select {timer_columns} from timer
 where user_id = %(user)s and (due, id) > (%(due)s, %(after)s) order by due, id limit %(limit)s

-- count_timers --
select count(*) as timers from timer where user_id = %(user)s

-- set_timer --
-- After lock_stream. No row: no such thread. What a turn sets is set with the API key of the turn.
with made as (
  insert into timer (id, user_id, thread_id, due, text, api_key)
  select %(timer)s, %(user)s, id,
         coalesce(%(at)s, clock_timestamp() + make_interval(secs => %(seconds)s)), %(text)s,
         coalesce(%(api_key)s::text, (select api_key from turn where turn.id = %(turn)s))
    from thread
   where user_id = %(user)s and (id = %(thread)s or (%(thread)s::text is null and kind = 'master'))
  returning {timer_columns}
), counter as (
  update stream set last_seq = last_seq + 1 from made where stream.user_id = made.user_id
  returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select made.user_id, last_seq, 'timer.set', thread_id, %(actor)s,
         jsonb_build_object('timer_id', made.id, 'text', made.text, 'due',
           to_char(due at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
    from made, counter
)
select made.*, last_seq as seq from made, counter

-- remove_timer --
-- After lock_stream.
with gone as (
  delete from timer where id = %(timer)s and user_id = %(user)s returning {timer_columns}
), counter as (
  update stream set last_seq = last_seq + 1 from gone where stream.user_id = gone.user_id
  returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select gone.user_id, last_seq, 'timer.removed', thread_id, %(actor)s,
         jsonb_build_object('timer_id', gone.id)
    from gone, counter
)
select gone.*, last_seq as seq from gone, counter

-- take_timer --
-- After lock_stream: whoever deletes the row makes it a message in the same transaction.
delete from timer where id = %(timer)s and user_id = %(user)s and due <= clock_timestamp()
returning {timer_columns}

-- fire_timer --
with counter as (
  update stream set last_seq = last_seq + 1 where user_id = %(user)s returning last_seq
)
insert into event (user_id, seq, type, thread_id, turn_id, actor, data)
select %(user)s, last_seq, 'timer.fired', %(thread)s, %(turn)s, %(actor)s, %(data)s from counter
returning seq
