-- A thread can be put away.

alter table thread add column archived_at timestamptz;
