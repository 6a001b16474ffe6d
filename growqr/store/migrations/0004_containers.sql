-- When services failed of late, and what is to become of one that ended by itself.

alter table service add column failed_at timestamptz[] not null default '{}';
alter table service add column decision text
    check (decision in ('open', 'restart', 'wait', 'leave'));

-- What an agent is told of its services before it thinks.
create index event_trouble on event (user_id, seq)
    where type in ('service.unhealthy', 'service.decided', 'service.failed', 'tool.unknown');

-- What a Gitea was seen to hold: saves questions, and is never believed over it.
create table mirror (
    user_id  text not null references users on delete cascade,
    repo     text not null,                       -- growqr-memory, or a project repository
    server   text not null,                       -- a run of the user's own, or the shared one
    heads    text not null,                       -- digest of its branches and tags
    at       timestamptz not null default clock_timestamp(),
    primary key (user_id, repo)
);
