-- An account at a provider that was unlinked, or replaced, is no way in any more; admins set what a
-- user may spend on a day at most.

alter table users add column unlinked_at timestamptz;
alter table users add column day_tokens bigint;
alter table users add column day_usd float8;
update users set unlinked_at = clock_timestamp() from oauth_account a
 where a.user_id = users.id and a.provider = users.issuer and a.subject <> users.subject;
