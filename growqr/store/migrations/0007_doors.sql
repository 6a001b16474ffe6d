-- An account at a provider that was unlinked, or replaced, is no way in any more.

alter table users add column unlinked_at timestamptz;
update users set unlinked_at = clock_timestamp() from oauth_account a
 where a.user_id = users.id and a.provider = users.issuer and a.subject <> users.subject;
