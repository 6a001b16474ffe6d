-- accept_memory --
-- Accepted means this row. The stream row hands out the number, so the order in git is the order
-- of acceptance. With a fence the owner's lease is checked in the same statement.
-- After lock_stream, so that it sees every file; one that would have to be a folder too, or lies
-- in the folder this one would have to be, is in its way. With `behind` the newest write of this
-- path must be that one; with `fresh` there must be no file.
with fence as (
  select key from lease
   where key = %(fence_key)s::text and epoch = %(fence_epoch)s::bigint for no key update
), other as (
  select path from memory_file
   where %(content)s::text is not null and user_id = %(user)s
     and (path = any(%(folders)s) or starts_with(path, %(path)s || '/')) limit 1
), newest as (
  select id from memory_commit
   where user_id = %(user)s and path = %(path)s order by number desc limit 1
), there as (
  select commit_row from memory_file where user_id = %(user)s and path = %(path)s
), counter as (
  update stream set memory_number = memory_number + 1
   where user_id = %(user)s
     and (%(fence_key)s::text is null or exists (select 1 from fence))
     and not exists (select 1 from other)
     and (%(behind)s::text is null or %(behind)s = (select id from newest))
     and not (%(fresh)s::boolean and exists (select 1 from there))
     and not exists (select 1 from memory_commit
                      where user_id = %(user)s and operation_id = %(operation)s)
  returning memory_number
), accepted as (
  insert into memory_commit (id, user_id, number, path, content, message, author, operation_id)
  select %(id)s, %(user)s, memory_number, %(path)s, %(content)s, %(message)s, %(author)s,
         %(operation)s from counter
  returning *
), kept as (
  insert into memory_file (user_id, path, commit_row, content, updated_at)
  select user_id, path, id, content, at from accepted where content is not null
      on conflict (user_id, path) do update
     set commit_row = excluded.commit_row, content = excluded.content,
         updated_at = excluded.updated_at
), removed as (
  delete from memory_file f using accepted a
   where a.content is null and f.user_id = a.user_id and f.path = a.path
)
select a.id, a.user_id, a.number, a.path, a.content, a.message, a.author, a.operation_id, a.at,
       a.commit_id, (select count(*) from fence) as held, (select path from other) as other,
       (select id from newest) as newest, (select commit_row from there) as there
  from (values (1)) as always(one) left join accepted a on true

-- memory_by_operation --
select id, user_id, number, path, content, message, author, operation_id, at, commit_id
  from memory_commit where user_id = %(user)s and operation_id = %(operation)s

-- get_memory --
select f.path, f.content, octet_length(f.content) as size, c.commit_id as commit,
       c.commit_id is null as pending, f.updated_at, f.commit_row as version
  from memory_file f join memory_commit c on c.id = f.commit_row
 where f.user_id = %(user)s and f.path = %(path)s

-- list_memory --
select f.path, '' as content, octet_length(f.content) as size, c.commit_id as commit,
       c.commit_id is null as pending, f.updated_at, f.commit_row as version
  from memory_file f join memory_commit c on c.id = f.commit_row
 where f.user_id = %(user)s and starts_with(f.path, %(prefix)s) and f.path > %(after)s
 order by f.path limit %(limit)s

-- memory_contents --
select path, content from memory_file
 where user_id = %(user)s and starts_with(path, %(prefix)s) order by path limit %(limit)s

-- search_memory --
-- Any of the words is enough; more of them, closer together, rank higher.
with q as (
  select replace(plainto_tsquery('simple', translate(%(query)s, '/._-', '    '))::text,
                 '&', '|')::tsquery as words
)
select f.path, f.content, octet_length(f.content) as size, c.commit_id as commit,
       c.commit_id is null as pending, f.updated_at, f.commit_row as version,
       ts_headline('simple', f.content, q.words,
                   'StartSel="", StopSel="", MaxWords=40, MinWords=15') as snippet
  from q, memory_file f join memory_commit c on c.id = f.commit_row
 where f.user_id = %(user)s and f.search @@ q.words
 order by ts_rank_cd(f.search, q.words) desc, f.path limit %(limit)s

-- memory_history --
select id, user_id, number, path, content, message, author, operation_id, at, commit_id
  from memory_commit
 where user_id = %(user)s and path = %(path)s and number < %(before)s
 order by number desc limit %(limit)s

-- memory_version --
select c.id, c.user_id, c.number, c.path, c.content, c.message, c.author, c.operation_id, c.at,
       c.commit_id, (select p.content from memory_commit p
                      where p.user_id = c.user_id and p.path = c.path and p.number < c.number
                      order by p.number desc limit 1) as previous
  from memory_commit c where c.user_id = %(user)s and c.path = %(path)s and c.id = %(id)s

-- memory_commit_of --
select commit_id from memory_commit where id = %(id)s

-- memory_pending_users --
select distinct user_id from memory_commit where commit_id is null limit %(limit)s

-- memory_pending --
select id, user_id, number, path, content, message, author, operation_id, at, commit_id
  from memory_commit where user_id = %(user)s and commit_id is null
 order by number limit %(limit)s

-- memory_all --
select id, user_id, number, path, content, message, author, operation_id, at, commit_id
  from memory_commit where user_id = %(user)s and number > %(after)s
 order by number limit %(limit)s

-- memory_projected --
updated as (
  update memory_commit c set commit_id = v.commit_id
    from fence, unnest(%(ids)s::text[], %(commits)s::text[]) as v(id, commit_id)
   where c.user_id = fence.user_id and c.id = v.id and c.commit_id is null returning c.id
), change as (
  select null::text as thread_id, null::text as turn_id, null::text as step_id,
         '{}'::jsonb as note from updated limit 1
)
