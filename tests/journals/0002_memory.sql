insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:09:54.533058+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '6', '0', '4');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '2026-11-20 16:10:54.538798+00', NULL);
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('memory:u_anna', 'u_anna', '1', 'a host of then', '-infinity', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b65876a48a6fca9871d41660', 'u_anna', 'master', 'Master', '2026-11-20 16:09:54.533346+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b6eb76e6ab9126fc40f458e9', 'u_anna', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'grow-agent:u_anna', '3', 'completed', NULL, '1', '1', 'false', 'done', NULL, '2026-11-20 16:09:54.670634+00', '2026-11-20 16:09:54.674005+00', '2026-11-20 16:09:54.682476+00', '2026-11-20 16:39:54.674005+00', NULL);
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b6eb76e6ab9126fb621a71e7', 'u_anna', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', '3', 'user', '[{"text": "remember", "type": "text"}]', NULL,  E'\\x327652b19d19db971365476ad46cecc96f3353da1e2e4f97d5e5d2ff422c88b4', '2026-11-20 16:09:54.670227+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_63ecda0cdff2934a9770b6f09c94e556', 'u_anna', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', '5', 'assistant', '[{"text": "done", "type": "text"}]', NULL, NULL, '2026-11-20 16:09:54.682499+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_0fc47c4656b2c0a51675411bf1fb176c', 'u_anna', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "end_turn"}', '2026-11-20 16:09:54.676689+00', '2026-11-20 16:09:54.682413+00');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'memory.committed', '2026-11-20 16:09:54.651584+00', NULL, NULL, NULL, 'memory:u_anna', '{"path": "notes/a.md", "commit": "d9201293e4e1d791bd5d4c18337b5452abdde2e8", "number": 1}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'memory.committed', '2026-11-20 16:09:54.651822+00', NULL, NULL, NULL, 'memory:u_anna', '{"path": "notes/b.md", "commit": "5f3363544c517b848faf7dcd5408d85f06864ddf", "number": 2}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'message.created', '2026-11-20 16:09:54.670213+00', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', NULL, 'u_anna', '{"role": "user", "content": [{"text": "remember", "type": "text"}], "message_id": "msg_01a1f9b8b6eb76e6ab9126fb621a71e7"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'turn.started', '2026-11-20 16:09:54.67417+00', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'message.created', '2026-11-20 16:09:54.682541+00', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', 'stp_0fc47c4656b2c0a51675411bf1fb176c', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"text": "done", "type": "text"}], "message_id": "msg_63ecda0cdff2934a9770b6f09c94e556"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'turn.completed', '2026-11-20 16:09:54.68255+00', 'thr_01a1f9b8b65876a48a6fca9871d41660', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', 'stp_0fc47c4656b2c0a51675411bf1fb176c', 'grow-agent:u_anna', '{"text": "done"}');
insert into usage (call_id, user_id, turn_id, step_id, provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, at) values
  ('stp_0fc47c4656b2c0a51675411bf1fb176c.1.1', 'u_anna', 'trn_01a1f9b8b6eb76e6ab9126fc40f458e9', 'stp_0fc47c4656b2c0a51675411bf1fb176c', 'p', 'm', '5', '3', '0', '0', '2026-11-20 16:09:54.696648+00');
insert into memory_commit (id, user_id, number, path, content, message, author, operation_id, at, commit_id) values
  ('mem_01a1f9b8b66b74ce96faba1bc8719dce', 'u_anna', '1', 'notes/a.md', 'first
', 'Write notes/a.md', 'grow-agent:u_anna', 'op-1', '2026-11-20 16:09:54.545327+00', 'd9201293e4e1d791bd5d4c18337b5452abdde2e8');
insert into memory_commit (id, user_id, number, path, content, message, author, operation_id, at, commit_id) values
  ('mem_01a1f9b8b67576ac84cf843a9a1c76d4', 'u_anna', '2', 'notes/b.md', 'second
', 'Write notes/b.md', 'grow-agent:u_anna', 'op-2', '2026-11-20 16:09:54.552268+00', '5f3363544c517b848faf7dcd5408d85f06864ddf');
insert into memory_commit (id, user_id, number, path, content, message, author, operation_id, at, commit_id) values
  ('mem_01a1f9b8b6e073a495ae3dbae1bd787b', 'u_anna', '3', 'notes/a.md', 'third
', 'Write notes/a.md', 'grow-agent:u_anna', 'op-3', '2026-11-20 16:09:54.660932+00', NULL);
insert into memory_commit (id, user_id, number, path, content, message, author, operation_id, at, commit_id) values
  ('mem_01a1f9b8b6e677a29fc60762db5020d5', 'u_anna', '4', 'notes/b.md', NULL, 'Write notes/b.md', 'grow-agent:u_anna', 'op-4', '2026-11-20 16:09:54.664192+00', NULL);
insert into memory_file (user_id, path, commit_row, content, updated_at) values
  ('u_anna', 'notes/a.md', 'mem_01a1f9b8b6e073a495ae3dbae1bd787b', 'third
', '2026-11-20 16:09:54.660932+00');
