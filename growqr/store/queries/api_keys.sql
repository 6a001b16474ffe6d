-- make_api_key --
-- No row: one of that id is there, which a repeat under the same Idempotency-Key would be.
with made as (
  insert into api_key (id, user_id, name, sha, scopes, expires_at, day_tokens)
  values (%(id)s, %(user)s, %(name)s, %(sha)s, %(scopes)s, %(expires_at)s, %(day_tokens)s)
  on conflict (id) do nothing
  returning id, user_id, name, scopes, created_at, expires_at, used_at, revoked_at, day_tokens
), told as (select id as subject from made), noted as ({note})
select * from made

-- list_api_keys --
select id, user_id, name, scopes, created_at, expires_at, used_at, revoked_at, day_tokens
  from api_key where user_id = %(user)s and id > %(after)s order by id limit %(limit)s

-- revoke_api_key --
with gone as (
  update api_key set revoked_at = clock_timestamp()
   where user_id = %(user)s and id = %(id)s and revoked_at is null returning id
), told as (select id as subject from gone), noted as ({note})
select id from api_key where user_id = %(user)s and id = %(id)s
