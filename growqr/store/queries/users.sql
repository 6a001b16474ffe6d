-- ensure_user --
-- User, counter, lease and master thread appear together or not at all. Whoever is first is the
-- admin; others are what their invite says. The log has who came, and by which invite.
with first as (
  insert into org (first_user) values (%(user)s) on conflict do nothing returning first_user
), invited as (
  update invite set used_by = %(user)s, used_at = clock_timestamp()
   where id = %(invite)s::text and used_by is null and expires_at > clock_timestamp()
     and not exists (select 1 from users where id = %(user)s) returning role
), u as (
  insert into users (id, issuer, subject, name, email, role)
  select %(user)s, %(issuer)s, %(subject)s, %(name)s, %(email)s,
         case when exists (select 1 from first) then 'admin'
              else coalesce((select role from invited), 'member') end
   where %(invite)s::text is null or exists (select 1 from invited)
  on conflict do nothing returning id, role
), noted as (
  insert into audit (actor, via, action, subject, outcome, rule, address, request_id, facts)
  select %(actor)s, %(actor_via)s, %(action)s, u.id, 'done', %(rule)s, %(address)s, %(request)s,
         %(facts)s || jsonb_build_object('role', u.role) from u
), s as (
  insert into stream (user_id) select id from u
), l as (
  insert into lease (key, user_id) select %(lease_key)s, id from u
)
insert into thread (id, user_id, kind, title) select %(thread)s, id, 'master', 'Master' from u

-- get_user --
select id, issuer, subject, name, created_at, role, email, suspended_at,
       day_tokens, day_usd from users
 where id = %(user)s

-- list_users --
select id, issuer, subject, name, created_at, role, email, suspended_at,
       day_tokens, day_usd from users
 where id > %(after)s order by id limit %(limit)s

-- lock_org --
select one from org for update

-- change_user --
-- Under that lock: somebody who may come in stays an admin. Whoever is suspended is signed out, links
-- no account they are away for, and the tokens inside their services, which are of a generation, open
-- nothing any more.
with changed as (
  update users set role = coalesce(%(role)s::text, role),
         suspended_at = case %(suspended)s::boolean
                        when true then coalesce(suspended_at, clock_timestamp())
                        when false then null else suspended_at end,
         day_tokens = case when 'day_tokens' = any(%(caps)s::text[]) then %(day_tokens)s::bigint
                           else day_tokens end,
         day_usd = case when 'day_usd' = any(%(caps)s::text[]) then %(day_usd)s::float8
                        else day_usd end
   where id = %(user)s
     and ((coalesce(%(role)s, role) = 'admin' and not coalesce(%(suspended)s, false))
          or role <> 'admin' or suspended_at is not null
          or exists (select 1 from users other where other.id <> %(user)s
                        and other.role = 'admin' and other.suspended_at is null))
  returning *
), out as (
  delete from sign_in using changed
   where sign_in.user_id = changed.id and changed.suspended_at is not null
), links as (
  delete from sign_in_link using changed
   where sign_in_link.user_id = changed.id and changed.suspended_at is not null
), away as (
  delete from oauth_state using changed
   where oauth_state.user_id = changed.id and changed.suspended_at is not null
), ended as (
  update service set desired = 'stopped', generation = service.generation + 1 from changed
   where service.user_id = changed.id and service.role = 'opencode'
     and coalesce(%(suspended)s::boolean, false)
), told as (select id as subject from changed), noted as ({note})
select id, issuer, subject, name, created_at, role, email, suspended_at,
       day_tokens, day_usd from changed
