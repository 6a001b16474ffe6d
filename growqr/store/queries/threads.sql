-- thread_columns --
id, user_id, kind, title, created_at, archived_at, origin,
(select s.id from sub_agent s where s.thread_id = thread.id) as sub_agent_id,
coalesce((select m.created_at from message m where m.thread_id = thread.id
           order by m.seq desc limit 1), created_at) as last_at

-- master_thread --
select {thread_columns} from thread where user_id = %(user)s and kind = 'master'

-- get_thread --
select {thread_columns} from thread where id = %(thread)s and user_id = %(user)s

-- list_threads --
-- `words`: as a pattern of LIKE, in the title or in what somebody said.
select {thread_columns} from thread
 where user_id = %(user)s and id > %(after)s
   and (%(archived)s::boolean is null or (archived_at is not null) = %(archived)s)
   and (%(words)s::text is null or title ilike %(words)s or exists (
        select from message m, jsonb_array_elements(m.content) block
         where m.thread_id = thread.id and m.role <> 'tool' and block ->> 'text' ilike %(words)s))
 order by id limit %(limit)s

-- create_thread --
with counter as (
  update stream set last_seq = last_seq + 1 where user_id = %(user)s returning last_seq
), made as (
  insert into thread (id, user_id, kind, title, origin)
  select %(thread)s, %(user)s, 'thread', %(title)s, %(origin)s from counter
  returning {thread_columns}
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select made.user_id, last_seq, 'thread.created', made.id, %(user)s,
         jsonb_build_object('title', title, 'origin', origin)
    from made, counter
)
select made.*, last_seq as seq from made, counter

-- change_thread --
-- After lock_stream. No row: nothing is other than it was, and nothing is told.
with changed as (
  update thread
     set title = coalesce(%(title)s, title),
         archived_at = case when %(archived)s::boolean is null then archived_at
                            when %(archived)s then coalesce(archived_at, clock_timestamp()) end
   where id = %(thread)s and user_id = %(user)s
     and (title is distinct from coalesce(%(title)s, title)
          or (archived_at is not null) is distinct from
             coalesce(%(archived)s, archived_at is not null))
  returning {thread_columns}
), counter as (
  update stream set last_seq = last_seq + 1 from changed where stream.user_id = changed.user_id
  returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select changed.user_id, last_seq, 'thread.changed', changed.id, %(actor)s,
         jsonb_build_object('title', title, 'archived', archived_at is not null)
    from changed, counter
)
select changed.*, last_seq as seq from changed, counter
