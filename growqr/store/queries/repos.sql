-- create_repo --
-- No row comes back for a name that is taken.
insert into repo (user_id, name, description) values (%(user)s, %(name)s, %(description)s)
on conflict do nothing
returning user_id, name, description, created_at

-- get_repo --
select user_id, name, description, created_at from repo
 where user_id = %(user)s and name = %(name)s

-- list_repos --
select user_id, name, description, created_at from repo
 where user_id = %(user)s and name > %(after)s order by name limit %(limit)s
