insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:25:26.948366+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '6', '0', '0');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '2026-11-20 16:26:27.004626+00', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9c6f08f7273860320614a6cfd05', 'u_anna', 'master', 'Master', '2026-11-20 16:25:26.948769+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step, waiting_since) values
  ('trn_01a1f9c6f0c8702fb4106b086c252c47', 'u_anna', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'grow-agent:u_anna', '1', 'running', NULL, '1', '1', 'false', NULL, NULL, '2026-11-20 16:25:26.991487+00', '2026-11-20 16:25:27.017818+00', NULL, '2026-11-20 16:55:27.017818+00', NULL, NULL);
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9c6f0c8702fb4106b078ba91fa1', 'u_anna', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', '1', 'user', '[{"text": "tell me when it is time", "type": "text"}]', NULL,  E'\\x317e07fd9722d822838c4ff116e7bec90efe9f8a6e211413ec00c582d8b82be3', '2026-11-20 16:25:26.991193+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_6ad5d33908e31792caf4aaa4ca13b43a', 'u_anna', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', '3', 'assistant', '[{"id": "toolu_timer", "name": "set_timer", "type": "tool_use", "input": {"text": "it is time", "seconds": 1}}]', NULL, NULL, '2026-11-20 16:25:27.192099+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_e2d3b1475c35a5f657c50b53c0ee53a6', 'u_anna', 'trn_01a1f9c6f0c8702fb4106b086c252c47', '1', 'tool', 'set_timer', 'toolu_timer', 'idempotent', 'intent', '1', '{"text": "it is time", "seconds": 1}', NULL, '2026-11-20 16:25:27.267278+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_e9fecd0fcac25740d9d9ed3298925cea', 'u_anna', 'trn_01a1f9c6f0c8702fb4106b086c252c47', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "tool_use"}', '2026-11-20 16:25:27.069886+00', '2026-11-20 16:25:27.19186+00');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'message.created', '2026-11-20 16:25:26.990833+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', NULL, 'u_anna', '{"role": "user", "content": [{"text": "tell me when it is time", "type": "text"}], "message_id": "msg_01a1f9c6f0c8702fb4106b078ba91fa1"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'turn.started', '2026-11-20 16:25:27.01808+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'message.created', '2026-11-20 16:25:27.192234+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', 'stp_e9fecd0fcac25740d9d9ed3298925cea', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"id": "toolu_timer", "name": "set_timer", "type": "tool_use", "input": {"text": "it is time", "seconds": 1}}], "message_id": "msg_6ad5d33908e31792caf4aaa4ca13b43a"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'tool.requested', '2026-11-20 16:25:27.194567+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', 'stp_e9fecd0fcac25740d9d9ed3298925cea', 'grow-agent:u_anna', '{"name": "set_timer", "input": {"text": "it is time", "seconds": 1}, "tool_use_id": "toolu_timer"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'tool.started', '2026-11-20 16:25:27.26846+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', 'trn_01a1f9c6f0c8702fb4106b086c252c47', 'stp_e2d3b1475c35a5f657c50b53c0ee53a6', 'grow-agent:u_anna', '{"name": "set_timer", "epoch": 1, "input": {"text": "it is time", "seconds": 1}, "tool_use_id": "toolu_timer"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'timer.set', '2026-11-20 16:25:27.300066+00', 'thr_01a1f9c6f08f7273860320614a6cfd05', NULL, NULL, 'grow-agent:u_anna', '{"due": "2026-11-20T16:25:28.299680+00:00", "text": "it is time", "timer_id": "tmr_05c3adb8df37d1e84e63e171b825f4e9"}');
insert into timer (id, user_id, thread_id, due, text, created_at) values
  ('tmr_05c3adb8df37d1e84e63e171b825f4e9', 'u_anna', 'thr_01a1f9c6f08f7273860320614a6cfd05', '2026-11-20 16:25:28.29968+00', 'it is time', '2026-11-20 16:25:27.299681+00');
