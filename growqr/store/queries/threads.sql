-- master_thread --
select id, user_id, kind, title, created_at from thread
 where user_id = %(user)s and kind = 'master'

-- get_thread --
select id, user_id, kind, title, created_at from thread
 where id = %(thread)s and user_id = %(user)s

-- list_threads --
select id, user_id, kind, title, created_at from thread
 where user_id = %(user)s and id > %(after)s order by id limit %(limit)s

-- create_thread --
insert into thread (id, user_id, kind, title)
values (%(thread)s, %(user)s, 'thread', %(title)s)
returning id, user_id, kind, title, created_at
