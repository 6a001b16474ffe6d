-- make_invite --
with made as (
  insert into invite (id, sha, email, role, created_by, expires_at)
  values (%(id)s, %(sha)s, %(email)s, %(role)s, %(user)s,
          clock_timestamp() + make_interval(secs => %(ttl)s))
  returning id, email, role, created_by, created_at, expires_at, used_by, used_at
), told as (select id as subject from made), noted as ({note})
select * from made

-- list_invites --
select id, email, role, created_by, created_at, expires_at, used_by, used_at from invite
 where id > %(after)s order by id limit %(limit)s

-- withdraw_invite --
with gone as (delete from invite where id = %(id)s and used_by is null returning id),
     told as (select id as subject from gone), noted as ({note})
select id from gone

-- open_invite --
-- By its link, or by the e-mail address it was made for: whoever has either may come in.
select id, email, role from invite
 where used_by is null and expires_at > clock_timestamp()
   and (sha = %(sha)s::bytea or (%(sha)s::bytea is null and email = %(email)s::text))
   and (email is null or email = %(email)s::text)
 order by id limit 1
