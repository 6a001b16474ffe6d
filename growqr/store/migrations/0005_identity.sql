-- Who may do what: roles, ways in, keys, limits, and the log of all of it.

alter table users add column role text not null default 'member'
    check (role in ('member', 'admin'));
alter table users add column email text;
alter table users add column suspended_at timestamptz;
create index users_admin on users (id) where role = 'admin';

create table org (
    one         boolean primary key default true check (one),
    first_user  text not null,
    created_at  timestamptz not null default clock_timestamp()
);

-- An instance from before roles: whoever was first is its admin.
insert into org (first_user) select id from users order by created_at, id limit 1;
update users set role = 'admin' from org where users.id = org.first_user;

create table sign_in (
    id          text primary key,
    user_id     text not null references users on delete cascade,
    sha         bytea not null unique,
    way         text not null,
    address     text not null default '',
    agent       text not null default '',
    created_at  timestamptz not null default clock_timestamp(),
    used_at     timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null
);
create index sign_in_user on sign_in (user_id, id);
create index sign_in_due on sign_in (expires_at);

create table sign_in_link (
    sha         bytea primary key,
    user_id     text not null references users on delete cascade,
    created_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null
);

create table oauth_state (
    sha         bytea primary key,
    provider    text not null,
    cookie_sha  bytea not null,
    verifier    text not null,
    return_to   text not null,
    user_id     text references users on delete cascade,
    invite      bytea,
    expires_at  timestamptz not null
);

create table oauth_account (
    user_id     text not null references users on delete cascade,
    provider    text not null,
    subject     text not null,
    login       text not null,
    scopes      text not null,
    tokens      text not null,
    expires_at  timestamptz,
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (user_id, provider),
    unique (provider, subject)
);

create table invite (
    id          text primary key,
    sha         bytea not null unique,
    email       text,
    role        text not null default 'member' check (role in ('member', 'admin')),
    created_by  text not null references users on delete cascade,
    created_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null,
    used_by     text,
    used_at     timestamptz
);

create table api_key (
    id          text primary key,
    user_id     text not null references users on delete cascade,
    name        text not null,
    sha         bytea not null,
    scopes      text[] not null,
    created_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz,
    used_at     timestamptz,
    revoked_at  timestamptz,
    day_tokens  bigint
);
create index api_key_user on api_key (user_id, id);

alter table turn add column api_key text;
create index turn_api_key on turn (api_key, created_at) where api_key is not null;

create unlogged table allowance (
    key    text primary key,
    since  timestamptz not null,
    used   int not null
) with (fillfactor = 50);

create unlogged table open_stream (
    id          text primary key,
    user_id     text not null,
    api_key     text,
    replica     text not null,
    expires_at  timestamptz not null
) with (fillfactor = 50);
create index open_stream_user on open_stream (user_id);

create table audit (
    id          bigint generated always as identity primary key,
    at          timestamptz not null default clock_timestamp(),
    actor       text not null,
    via         text not null default '',
    action      text not null,
    subject     text not null default '',
    outcome     text not null check (outcome in ('done', 'refused')),
    rule        text not null,
    address     text not null default '',
    request_id  text not null default '',
    facts       jsonb not null default '{}'
);
create index audit_actor on audit (actor, id);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only();
