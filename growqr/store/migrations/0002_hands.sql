-- Sub-agents, services and project repositories.

alter table turn add column parent_step text;
create index turn_parent on turn (parent_step) where parent_step is not null;

alter table step drop constraint step_kind_check;
alter table step add constraint step_kind_check check (kind in ('model', 'tool', 'prompt'));
create index step_session on step ((input ->> 'session_id')) where kind = 'prompt';

create table sub_agent (
    user_id      text not null references users on delete cascade,
    id           text not null,
    type         text not null,
    channel_id   text not null,
    thread_id    text not null references thread on delete cascade,
    lease_key    text not null references lease on delete cascade,
    depth        int not null,
    session_id   text,
    created_at   timestamptz not null default clock_timestamp(),
    stopped_at   timestamptz,
    primary key (user_id, id)
);
create unique index sub_agent_lease on sub_agent (lease_key);
create unique index sub_agent_channel on sub_agent (user_id, channel_id) where stopped_at is null;

-- One service of a user's pair: what is wanted, and what was last seen of it.
create table service (
    user_id     text not null references users on delete cascade,
    role        text not null check (role in ('opencode', 'gitea')),
    desired     text not null default 'stopped' check (desired in ('ready', 'stopped')),
    state       text not null default 'absent' check (state in
                ('absent', 'starting', 'ready', 'unhealthy', 'stopping', 'stopped', 'paused',
                 'backoff', 'failed')),
    generation  bigint not null default 0,         -- + 1 when made anew; tokens are bound to it
    spec_sha    text,
    address     text,
    reason      text,
    failures    int not null default 0,
    retry_at    timestamptz,
    used_at     timestamptz not null default clock_timestamp(),
    updated_at  timestamptz not null default clock_timestamp(),
    primary key (user_id, role)
);
create index service_wanted on service (desired, state);

-- Project repositories; their content is git's.
create table repo (
    user_id      text not null references users on delete cascade,
    name         text not null,
    description  text not null default '',
    created_at   timestamptz not null default clock_timestamp(),
    primary key (user_id, name)
);
