-- The whole current schema of growqr, PostgreSQL 15 or later.
-- A fresh database is made from this file; older ones by growqr/store/migrations (a test holds
-- both equal). Time for leases is the database's clock only.

create table schema_version (
    version     int primary key,
    sha256      text not null,
    applied_at  timestamptz not null default clock_timestamp()
);

-- Mirror of identities seen at the door. The id is ours and shows in names; never an e-mail.
create table users (
    id          text primary key,
    issuer      text not null,
    subject     text not null,
    name        text not null,
    created_at  timestamptz not null default clock_timestamp(),
    role        text not null default 'member' check (role in ('member', 'admin')),
    email       text,                              -- as the issuer vouches for it
    suspended_at timestamptz,                      -- may not come in; nothing is removed
    unlinked_at timestamptz,                       -- the provider's account that made them is no way in
    day_tokens  bigint,                            -- at most on a day; null: as the settings say
    day_usd     float8,
    unique (issuer, subject)
);
create index users_admin on users (id) where role = 'admin';

-- One row: who was here first, and so the first admin.
create table org (
    one         boolean primary key default true check (one),
    first_user  text not null,
    created_at  timestamptz not null default clock_timestamp()
);

-- One row per user hands out seq under a lock held to commit: order of seq = order of visibility.
create table stream (
    user_id          text primary key references users on delete cascade,
    last_seq         bigint not null default 0,
    retention_floor  bigint not null default 0,
    memory_number    bigint not null default 0     -- of the last accepted memory write
) with (fillfactor = 50);

-- Who may write for a key, until when. Only the actor named <key>#<epoch> may take that epoch.
create table lease (
    key          text primary key,
    user_id      text not null references users on delete cascade,
    epoch        bigint not null default 0,
    holder       text,
    expires_at   timestamptz not null default '-infinity',
    start_since  timestamptz          -- since when a start of epoch + 1 is awaited
) with (fillfactor = 50);
create index lease_live on lease (expires_at);

create table event (
    user_id    text not null references users on delete cascade,
    seq        bigint not null,
    type       text not null,
    time       timestamptz not null default clock_timestamp(),
    thread_id  text,
    turn_id    text,
    step_id    text,
    actor      text,
    data       jsonb not null,
    primary key (user_id, seq)
);
create index event_thread on event (thread_id, seq);
-- What an agent is told of its services before it thinks.
create index event_trouble on event (user_id, seq)
    where type in ('service.unhealthy', 'service.decided', 'service.failed', 'tool.unknown');

create table thread (
    id          text primary key,
    user_id     text not null references users on delete cascade,
    kind        text not null check (kind in ('master', 'channel', 'thread')),
    title       text not null,
    created_at  timestamptz not null default clock_timestamp(),
    archived_at timestamptz,                       -- put away; it goes on when somebody speaks in it
    origin      text                               -- where it was begun: web, api; null: by growqr
);
create unique index thread_master on thread (user_id) where kind = 'master';
create index thread_user on thread (user_id, id);

create table turn (
    id                text primary key,
    user_id           text not null references users on delete cascade,
    thread_id         text not null references thread on delete cascade,
    lease_key         text not null,
    seq               bigint not null,             -- of the message: first come, first served
    state             text not null default 'queued' check (state in
                      ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
    waiting           text check (waiting in ('approval', 'answer', 'budget', 'sub_agent')),
    epoch             bigint not null default 0,   -- of the owner that claimed it last
    claims            int not null default 0,
    cancel_requested  boolean not null default false,
    result            text,
    error             jsonb,
    created_at        timestamptz not null default clock_timestamp(),
    started_at        timestamptz,
    finished_at       timestamptz,
    deadline_at       timestamptz,
    parent_step       text,                         -- the tool step that waits for this turn's end
    waiting_since     timestamptz,                  -- what it waits does not count as its time
    api_key           text                          -- the key it was asked with: its day's spend
);
create unique index turn_one_per_thread on turn (thread_id) where state in ('running', 'waiting');
create index turn_due on turn (lease_key, seq) where state in ('queued', 'running', 'waiting');
create index turn_user on turn (user_id, id);
create index turn_parent on turn (parent_step) where parent_step is not null;
create index turn_api_key on turn (api_key, created_at) where api_key is not null;

-- The conversation. role 'tool' holds tool results; content is a list of content blocks.
create table message (
    id          text primary key,
    user_id     text not null references users on delete cascade,
    thread_id   text not null references thread on delete cascade,
    turn_id     text not null references turn on delete cascade,
    seq         bigint not null,
    role        text not null check (role in ('user', 'assistant', 'tool')),
    content     jsonb not null,
    client_key  text,
    body_sha    bytea,
    created_at  timestamptz not null default clock_timestamp(),
    unique (user_id, client_key)
);
create index message_thread on message (thread_id, seq);

-- One model call, tool call or prompt to OpenCode. A model reply is here before any of its tools runs.
create table step (
    id           text primary key,
    user_id      text not null references users on delete cascade,
    turn_id      text not null references turn on delete cascade,
    position     int not null,                     -- counts model calls; a tool has its caller's
    kind         text not null check (kind in ('model', 'tool', 'prompt')),
    name         text not null,                    -- model asked for, or tool
    tool_use_id  text,
    effect       text check (effect in ('read_only', 'idempotent', 'reconcilable', 'unsafe')),
    state        text not null default 'intent' check (state in
                 ('intent', 'done', 'failed', 'unknown')),
    epoch        bigint not null,
    input        jsonb not null,
    output       jsonb,
    started_at   timestamptz not null default clock_timestamp(),
    finished_at  timestamptz,
    check ((kind = 'tool') = (tool_use_id is not null and effect is not null))
);
create unique index step_model on step (turn_id, position) where kind = 'model';
create unique index step_tool on step (turn_id, tool_use_id) where kind = 'tool';
create index step_session on step ((input ->> 'session_id')) where kind = 'prompt';

-- The ledger: one row per call to a model that was answered, whatever became of the reply.
create table usage (
    call_id            text primary key,
    user_id            text not null references users on delete cascade,
    turn_id            text,
    step_id            text,
    provider           text not null,
    model              text not null,
    input_tokens       bigint not null,
    output_tokens      bigint not null,
    cache_read_tokens  bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    at                 timestamptz not null default clock_timestamp(),
    micro_usd          bigint not null default 0,      -- by the prices known when it was called
    model_ms           bigint not null default 0       -- from request to the reply's end
);
create index usage_turn on usage (turn_id);
create index usage_user on usage (user_id, at);

-- Answers to requests that carried an Idempotency-Key, written in the effect's own transaction.
create table idempotency (
    user_id     text not null references users on delete cascade,
    key         text not null,
    route       text not null,
    body_sha    bytea not null,
    status      int not null,
    answer      jsonb not null,
    created_at  timestamptz not null default clock_timestamp(),
    primary key (user_id, key)
);
create index idempotency_age on idempotency (created_at);

-- Every accepted memory write, in order: the truth of the git projection. content null = removed.
create table memory_commit (
    id            text primary key,
    user_id       text not null references users on delete cascade,
    number        bigint not null,                 -- 1, 2, 3 … per user: the order in git
    path          text not null,
    content       text,
    message       text not null,
    author        text not null,
    operation_id  text not null,                   -- the same operation is accepted once
    at            timestamptz not null default clock_timestamp(),
    commit_id     text,                            -- git's, once projected
    unique (user_id, number),
    unique (user_id, operation_id)
);
create index memory_commit_path on memory_commit (user_id, path, number);
create index memory_commit_pending on memory_commit (user_id, number) where commit_id is null;

-- What memory holds now: an index over memory_commit.
create table memory_file (
    user_id     text not null references users on delete cascade,
    path        text not null,
    commit_row  text not null references memory_commit on delete cascade,
    content     text not null,
    search      tsvector generated always as
                (to_tsvector('simple', translate(path, '/._-', '    ') || ' ' || content)) stored,
    updated_at  timestamptz not null,
    primary key (user_id, path)
);
create index memory_file_search on memory_file using gin (search);

-- Agents below the Grow Agent. Each has a channel thread and a lease; `session_id` is OpenCode's.
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
    failed_at   timestamptz[] not null default '{}',   -- its failures that still count
    decision    text check (decision in ('open', 'restart', 'wait', 'leave')),
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

-- What a turn waits for a person to decide: asked once, answered once, expired by its clock.
create table decision (
    id           text primary key,
    user_id      text not null references users on delete cascade,
    thread_id    text not null references thread on delete cascade,
    turn_id      text not null references turn on delete cascade,
    step_id      text,                              -- the tool call it is about, if it is about one
    kind         text not null check (kind in ('approval', 'question', 'budget')),
    asked        jsonb not null,                    -- exactly what is asked
    options      jsonb not null default '[]',
    state        text not null default 'open' check (state in
                 ('open', 'approved', 'denied', 'answered', 'expired', 'closed')),
    answer       text,
    answered_by  text,
    created_at   timestamptz not null default clock_timestamp(),
    expires_at   timestamptz not null,
    answered_at  timestamptz,
    used_at      timestamptz                        -- an approval is good for one repetition
);
create index decision_open on decision (user_id, id) where state = 'open';
create index decision_due on decision (expires_at) where state = 'open';
create index decision_turn on decision (turn_id);
create index decision_budget on decision ((asked ->> 'scope')) where kind = 'budget';

-- A message to be, at its time.
create table timer (
    id          text primary key,
    user_id     text not null references users on delete cascade,
    thread_id   text not null references thread on delete cascade,
    due         timestamptz not null,
    text        text not null,
    created_at  timestamptz not null default clock_timestamp(),
    api_key     text                               -- the key it was set with: its day's spend
);
create index timer_due on timer (due);
create index timer_user on timer (user_id, due, id);

-- What a Gitea was seen to hold: saves questions, and is never believed over it.
create table mirror (
    user_id  text not null references users on delete cascade,
    repo     text not null,                       -- growqr-memory, or a project repository
    server   text not null,                       -- a run of the user's own, or the shared one
    heads    text not null,                       -- digest of its branches and tags
    at       timestamptz not null default clock_timestamp(),
    primary key (user_id, repo)
);

-- A browser that is signed in: the hash of its cookie. Without the row the cookie is nothing.
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

-- A way in that works once: `growqr up` prints one.
create table sign_in_link (
    sha         bytea primary key,
    user_id     text not null references users on delete cascade,
    created_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null
);

-- Somebody is on the way to a provider and back: `user_id` is who links an account, null signs in.
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

-- An account at a provider; `tokens` is sealed to this very row.
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

-- Who may come in although the gate is closed, and as what.
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

-- Keys of programs: the secret's hash alone. `day_tokens`: what its turns may use on a day.
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

-- Counts of a window of time, by who is counted. Lost in a crash, and nobody minds.
create unlogged table allowance (
    key    text primary key,
    since  timestamptz not null,
    used   int not null
) with (fillfactor = 50);

-- Streams that are open now, over all replicas; a replica that dies leaves rows that expire.
create unlogged table open_stream (
    id          text primary key,
    user_id     text not null,
    api_key     text,
    replica     text not null,
    expires_at  timestamptz not null
) with (fillfactor = 50);
create index open_stream_user on open_stream (user_id);

-- Who did what, which rule decided, from where. Users may go, this stays.
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
create index audit_refused on audit (at) where outcome = 'refused';

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only';
end $$;
create trigger audit_append_only before update or truncate on audit
    for each statement execute function audit_is_append_only();
-- What was done stays for ever; what was refused, so long at least.
create trigger audit_keeps before delete on audit for each row
    when (old.outcome <> 'refused' or old.at > clock_timestamp() - interval '7 days')
    execute function audit_is_append_only();
