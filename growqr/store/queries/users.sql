-- ensure_user --
-- User, counter, lease and master thread appear together or not at all.
with u as (
  insert into users (id, issuer, subject, name)
  values (%(user)s, %(issuer)s, %(subject)s, %(name)s) on conflict do nothing returning id
), s as (
  insert into stream (user_id) select id from u
), l as (
  insert into lease (key, user_id) select %(lease_key)s, id from u
)
insert into thread (id, user_id, kind, title) select %(thread)s, id, 'master', 'Master' from u

-- get_user --
select id, issuer, subject, name, created_at from users where id = %(user)s
