-- make_sign_in_link --
with made as (
  insert into sign_in_link (sha, user_id, expires_at)
  values (%(sha)s, %(user)s, clock_timestamp() + make_interval(secs => %(ttl)s)) returning user_id
), told as (select user_id as subject from made)
{note}

-- exchange_link --
-- The link is used and the browser signed in, or neither.
with link as (
  delete from sign_in_link where sha = %(link)s and expires_at > clock_timestamp()
  returning user_id
), made as (
  insert into sign_in (id, user_id, sha, way, address, agent, expires_at)
  select %(id)s, user_id, %(sha)s, 'link', %(address)s, %(agent)s,
         clock_timestamp() + make_interval(secs => %(ttl)s) from link
  returning user_id
), told as (select user_id as subject from made), noted as ({note})
select user_id from made

-- begin_sign_in --
with made as (
  insert into sign_in (id, user_id, sha, way, address, agent, expires_at)
  values (%(id)s, %(user)s, %(sha)s, %(way)s, %(address)s, %(agent)s,
          clock_timestamp() + make_interval(secs => %(ttl)s)) returning user_id
), told as (select user_id as subject from made)
{note}

-- list_sign_ins --
select id, user_id, way, address, agent, created_at, used_at, expires_at from sign_in
 where user_id = %(user)s and expires_at > clock_timestamp() order by id

-- end_sign_ins --
-- One, or all of a user's: then they link no account either that they are away for.
with gone as (
  delete from sign_in where user_id = %(user)s and (%(id)s::text is null or id = %(id)s)
  returning id
), away as (
  delete from oauth_state where user_id = %(user)s and %(id)s::text is null
), told as (select id as subject from gone), noted as ({note})
select id from gone
