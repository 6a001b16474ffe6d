-- An account at a provider that was unlinked, or replaced, is no way in any more; admins set what a
-- user may spend on a day at most; what was refused goes from the audit log when it is old.

alter table users add column unlinked_at timestamptz;
alter table users add column day_tokens bigint;
alter table users add column day_usd float8;
update users set unlinked_at = clock_timestamp() from oauth_account a
 where a.user_id = users.id and a.provider = users.issuer and a.subject <> users.subject;

drop trigger audit_append_only on audit;
create trigger audit_append_only before update or truncate on audit
    for each statement execute function audit_is_append_only();
create trigger audit_keeps before delete on audit for each row
    when (old.outcome <> 'refused' or old.at > clock_timestamp() - interval '7 days')
    execute function audit_is_append_only();
create index audit_refused on audit (at) where outcome = 'refused';
