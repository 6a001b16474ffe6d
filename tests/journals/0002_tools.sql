insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:09:54.012016+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '16', '0', '0');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '2026-11-20 16:10:54.020146+00', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b453718ea63a77ac228c7cf1', 'u_anna', 'master', 'Master', '2026-11-20 16:09:54.012281+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b45e7384859a181fdd425616', 'u_anna', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'grow-agent:u_anna', '1', 'running', NULL, '1', '1', 'false', NULL, NULL, '2026-11-20 16:09:54.018498+00', '2026-11-20 16:09:54.024943+00', NULL, '2026-11-20 16:39:54.024943+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b48b718ba208e138d13b3083', 'u_anna', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'grow-agent:u_anna', '16', 'queued', NULL, '0', '0', 'false', NULL, NULL, '2026-11-20 16:09:54.060701+00', NULL, NULL, NULL, NULL);
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b45e7384859a181e9866f551', 'u_anna', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'user', '[{"text": "do all of it", "type": "text"}]', NULL,  E'\\xf7bcb93f8031a3464948361082a68de4fb82b449f52145dacb22754778c84c79', '2026-11-20 16:09:54.01829+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b48b718ba208e137a98d6037', 'u_anna', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b48b718ba208e138d13b3083', '16', 'user', '[{"text": "and then this", "type": "text"}]', NULL,  E'\\x40f32993a562f920f1f510a29808852bcd423bf18d254e53c8ff360b2f10fde4', '2026-11-20 16:09:54.06068+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_f64c32fcd69067e5ab08717a4649f5ce', 'u_anna', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', '3', 'assistant', '[{"text": "I begin.", "type": "text"}, {"id": "toolu_read", "name": "read_memory", "type": "tool_use", "input": {"path": "notes/a.md"}}, {"id": "toolu_done", "name": "count", "type": "tool_use", "input": {"number": 1}}, {"id": "toolu_idempotent", "name": "count", "type": "tool_use", "input": {"number": 2}}, {"id": "toolu_reconcilable", "name": "post", "type": "tool_use", "input": {"number": 3}}, {"id": "toolu_unsafe", "name": "launch", "type": "tool_use", "input": {"number": 4}}, {"id": "toolu_unclaimed", "name": "launch", "type": "tool_use", "input": {"number": 5}}]', NULL, NULL, '2026-11-20 16:09:54.043438+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_7e39a87eadb27c77832e25c052f64a04', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "tool_use"}', '2026-11-20 16:09:54.03484+00', '2026-11-20 16:09:54.043146+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_806f5b34ca04bbac56234399122a3fb3', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'tool', 'read_memory', 'toolu_read', 'read_only', 'intent', '1', '{"path": "notes/a.md"}', NULL, '2026-11-20 16:09:54.046017+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_96bb44356fdc2be9ee58a42cef08a361', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'tool', 'count', 'toolu_done', 'idempotent', 'done', '1', '{"number": 1}', '{"content": "counted 1"}', '2026-11-20 16:09:54.048237+00', '2026-11-20 16:09:54.051723+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_9aeb39366237311900f68df6244e6dfc', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'tool', 'post', 'toolu_reconcilable', 'reconcilable', 'intent', '1', '{"number": 3}', NULL, '2026-11-20 16:09:54.056991+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_aa69fee33a3696a9a2cccb4794f2e560', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'tool', 'launch', 'toolu_unsafe', 'unsafe', 'intent', '1', '{"number": 4}', NULL, '2026-11-20 16:09:54.058798+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_d877c9875feffcaf6fbff175a7454651', 'u_anna', 'trn_01a1f9b8b45e7384859a181fdd425616', '1', 'tool', 'count', 'toolu_idempotent', 'idempotent', 'intent', '1', '{"number": 2}', NULL, '2026-11-20 16:09:54.053575+00', NULL);
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'message.created', '2026-11-20 16:09:54.018138+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', NULL, 'u_anna', '{"role": "user", "content": [{"text": "do all of it", "type": "text"}], "message_id": "msg_01a1f9b8b45e7384859a181e9866f551"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'turn.started', '2026-11-20 16:09:54.025256+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'message.created', '2026-11-20 16:09:54.043576+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"text": "I begin.", "type": "text"}, {"id": "toolu_read", "name": "read_memory", "type": "tool_use", "input": {"path": "notes/a.md"}}, {"id": "toolu_done", "name": "count", "type": "tool_use", "input": {"number": 1}}, {"id": "toolu_idempotent", "name": "count", "type": "tool_use", "input": {"number": 2}}, {"id": "toolu_reconcilable", "name": "post", "type": "tool_use", "input": {"number": 3}}, {"id": "toolu_unsafe", "name": "launch", "type": "tool_use", "input": {"number": 4}}, {"id": "toolu_unclaimed", "name": "launch", "type": "tool_use", "input": {"number": 5}}], "message_id": "msg_f64c32fcd69067e5ab08717a4649f5ce"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'tool.requested', '2026-11-20 16:09:54.043624+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "read_memory", "input": {"path": "notes/a.md"}, "tool_use_id": "toolu_read"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'tool.requested', '2026-11-20 16:09:54.043627+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "count", "input": {"number": 1}, "tool_use_id": "toolu_done"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'tool.requested', '2026-11-20 16:09:54.043629+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "count", "input": {"number": 2}, "tool_use_id": "toolu_idempotent"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '7', 'tool.requested', '2026-11-20 16:09:54.043631+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "post", "input": {"number": 3}, "tool_use_id": "toolu_reconcilable"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '8', 'tool.requested', '2026-11-20 16:09:54.043637+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "launch", "input": {"number": 4}, "tool_use_id": "toolu_unsafe"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '9', 'tool.requested', '2026-11-20 16:09:54.043639+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_7e39a87eadb27c77832e25c052f64a04', 'grow-agent:u_anna', '{"name": "launch", "input": {"number": 5}, "tool_use_id": "toolu_unclaimed"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '10', 'tool.started', '2026-11-20 16:09:54.046135+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_806f5b34ca04bbac56234399122a3fb3', 'grow-agent:u_anna', '{"name": "read_memory", "epoch": 1, "input": {"path": "notes/a.md"}, "tool_use_id": "toolu_read"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '11', 'tool.started', '2026-11-20 16:09:54.049763+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_96bb44356fdc2be9ee58a42cef08a361', 'grow-agent:u_anna', '{"name": "count", "epoch": 1, "input": {"number": 1}, "tool_use_id": "toolu_done"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '12', 'tool.completed', '2026-11-20 16:09:54.051786+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_96bb44356fdc2be9ee58a42cef08a361', 'grow-agent:u_anna', '{"name": "count", "output": "counted 1", "tool_use_id": "toolu_done"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '13', 'tool.started', '2026-11-20 16:09:54.053694+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_d877c9875feffcaf6fbff175a7454651', 'grow-agent:u_anna', '{"name": "count", "epoch": 1, "input": {"number": 2}, "tool_use_id": "toolu_idempotent"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '14', 'tool.started', '2026-11-20 16:09:54.057068+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_9aeb39366237311900f68df6244e6dfc', 'grow-agent:u_anna', '{"name": "post", "epoch": 1, "input": {"number": 3}, "tool_use_id": "toolu_reconcilable"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '15', 'tool.started', '2026-11-20 16:09:54.058864+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b45e7384859a181fdd425616', 'stp_aa69fee33a3696a9a2cccb4794f2e560', 'grow-agent:u_anna', '{"name": "launch", "epoch": 1, "input": {"number": 4}, "tool_use_id": "toolu_unsafe"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '16', 'message.created', '2026-11-20 16:09:54.060669+00', 'thr_01a1f9b8b453718ea63a77ac228c7cf1', 'trn_01a1f9b8b48b718ba208e138d13b3083', NULL, 'u_anna', '{"role": "user", "content": [{"text": "and then this", "type": "text"}], "message_id": "msg_01a1f9b8b48b718ba208e137a98d6037"}');
