-- What a person decides, timers, prices, and since when a turn waits.

alter table turn add column waiting_since timestamptz;

alter table usage add column micro_usd bigint not null default 0;
alter table usage add column model_ms bigint not null default 0;

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
    created_at  timestamptz not null default clock_timestamp()
);
create index timer_due on timer (due);
create index timer_user on timer (user_id, due, id);
