-- open_oauth_state --
-- Whoever goes away takes the ones with them that never came back.
with late as (delete from oauth_state where expires_at <= %(now)s)
insert into oauth_state
  (sha, provider, cookie_sha, verifier, return_to, user_id, invite, expires_at)
values (%(sha)s, %(provider)s, %(cookie_sha)s, %(verifier)s, %(return_to)s, %(user)s, %(invite)s,
        %(expires_at)s)

-- take_oauth_state --
-- Once, whoever comes with it and whatever is wrong with the rest: a second one finds nothing.
delete from oauth_state where sha = %(sha)s
returning provider, cookie_sha, verifier, return_to, user_id, invite, expires_at

-- keep_oauth_account --
insert into oauth_account (user_id, provider, subject, login, scopes, tokens, expires_at)
values (%(user)s, %(provider)s, %(subject)s, %(login)s, %(scopes)s, %(tokens)s, %(expires_at)s)
    on conflict (user_id, provider) do update
   set subject = excluded.subject, login = excluded.login, scopes = excluded.scopes,
       tokens = excluded.tokens, expires_at = excluded.expires_at, updated_at = clock_timestamp()
returning user_id, provider, subject, login, scopes, tokens, expires_at, updated_at

-- get_oauth_account --
select user_id, provider, subject, login, scopes, tokens, expires_at, updated_at
  from oauth_account where user_id = %(user)s and provider = %(provider)s

-- owner_of_oauth_account --
select user_id from oauth_account where provider = %(provider)s and subject = %(subject)s

-- list_oauth_accounts --
select user_id, provider, subject, login, scopes, tokens, expires_at, updated_at
  from oauth_account where user_id = %(user)s order by provider

-- swap_oauth_tokens --
-- Only over what was read: no two texts are equal, so whoever comes second finds no row.
update oauth_account
   set tokens = %(tokens)s, expires_at = %(expires_at)s, updated_at = clock_timestamp()
 where user_id = %(user)s and provider = %(provider)s and tokens = %(old)s
returning 1 as swapped

-- remove_oauth_account --
delete from oauth_account where user_id = %(user)s and provider = %(provider)s returning 1 as gone
