-- mirror_confirmed --
select repo, server, heads from mirror where user_id = %(user)s

-- mirror_unseen --
-- Their own Gitea runs, and nothing was confirmed for this run of it yet.
select s.user_id from service s
 where s.role = 'gitea' and s.desired = 'ready' and s.state = 'ready'
   and not exists (select 1 from mirror m
                    where m.user_id = s.user_id and m.repo = %(repo)s
                      and m.server = %(own)s || s.generation)
 limit %(limit)s

-- mirror_users --
-- Whoever has something in git.
select user_id from stream where memory_number > 0 and user_id > %(after)s
 union
select user_id from repo where user_id > %(after)s
 order by user_id limit %(limit)s

-- mirror_confirm --
change as (
  insert into mirror (user_id, repo, server, heads)
  select fence.user_id, %(repo)s, %(server)s, %(heads)s from fence
      on conflict (user_id, repo) do update
     set server = excluded.server, heads = excluded.heads, at = clock_timestamp()
  returning null::text as thread_id, null::text as turn_id, null::text as step_id,
            '{}'::jsonb as note
)
