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
-- Whoever is signed in (`linking`) may put any account in place of an earlier one. By signing in
-- comes only the account that is linked, or the one that made the user and was not unlinked since:
-- else no row.
with kept as (
  insert into oauth_account as a (user_id, provider, subject, login, scopes, tokens, expires_at)
  select %(user)s, %(provider)s, %(subject)s, %(login)s, %(scopes)s, %(tokens)s, %(expires_at)s
   where %(linking)s or not exists (
           select 1 from users where id = %(user)s and unlinked_at is not null
              and issuer = %(provider)s and subject = %(subject)s)
      on conflict (user_id, provider) do update
     set subject = excluded.subject, login = excluded.login, scopes = excluded.scopes,
         tokens = excluded.tokens, expires_at = excluded.expires_at,
         updated_at = clock_timestamp()
   where %(linking)s or a.subject = excluded.subject
  returning user_id, provider, subject, login, scopes, tokens, expires_at, updated_at
), first_account as (
  update users set unlinked_at = case when users.subject <> kept.subject then clock_timestamp() end
    from kept where users.id = kept.user_id and users.issuer = kept.provider
     and (users.subject <> kept.subject) = (users.unlinked_at is null)
), told as (select provider as subject from kept where %(linking)s), noted as ({note})
select * from kept

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

-- lock_user --
select 1 from users where id = %(user)s for no key update

-- remove_oauth_account --
-- Under that lock, and never the last way in of somebody who came by a provider: those are names,
-- while issuers of tokens, by which others come, are addresses.
with gone as (
  delete from oauth_account a using users u
   where u.id = a.user_id and a.user_id = %(user)s and a.provider = %(provider)s
     and (position(':' in u.issuer) > 0 or exists (
           select 1 from oauth_account o where o.user_id = a.user_id
              and o.provider <> a.provider and o.provider = any(%(ways)s)))
  returning a.user_id, a.provider, a.subject
), first_account as (
  update users set unlinked_at = clock_timestamp() from gone
   where users.id = gone.user_id and users.issuer = gone.provider and users.subject = gone.subject
), told as (select provider as subject from gone), noted as ({note})
select 1 as gone from gone
