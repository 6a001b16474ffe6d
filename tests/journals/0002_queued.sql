insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:09:53.751764+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '6', '0', '0');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '2026-11-20 16:10:53.756235+00', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'u_anna', 'master', 'Master', '2026-11-20 16:09:53.752314+00');
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b390778fbdcffc6007e0ac73', 'u_anna', 'thread', 'beside', '2026-11-20 16:09:53.808302+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b35c7098b75314526e65e431', 'u_anna', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'grow-agent:u_anna', '1', 'completed', NULL, '1', '1', 'false', 'hello yourself', NULL, '2026-11-20 16:09:53.765407+00', '2026-11-20 16:09:53.775254+00', '2026-11-20 16:09:53.799902+00', '2026-11-20 16:39:53.775254+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b38d736b8821e6a8f8abb7e4', 'u_anna', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'grow-agent:u_anna', '5', 'queued', NULL, '0', '0', 'false', NULL, NULL, '2026-11-20 16:09:53.807417+00', NULL, NULL, NULL, NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b390778fbdcffc626ba7e3cf', 'u_anna', 'thr_01a1f9b8b390778fbdcffc6007e0ac73', 'grow-agent:u_anna', '6', 'queued', NULL, '0', '0', 'false', NULL, NULL, '2026-11-20 16:09:53.809432+00', NULL, NULL, NULL, NULL);
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b35c7098b7531451d5828cc8', 'u_anna', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', '1', 'user', '[{"text": "hello", "type": "text"}]', NULL,  E'\\xa1ad92f331dce2e080cd8f255c25493ea14d633994010634488edc948bf6d2ce', '2026-11-20 16:09:53.761996+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b38d736b8821e6a7497a6918', 'u_anna', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b38d736b8821e6a8f8abb7e4', '5', 'user', '[{"text": "are you there?", "type": "text"}]', 'c-1',  E'\\x1fa8e291c896a325c8cb89e0b325fcb1783086ba6fbb9444ffe1d7efddebe746', '2026-11-20 16:09:53.807392+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b390778fbdcffc61f35f810b', 'u_anna', 'thr_01a1f9b8b390778fbdcffc6007e0ac73', 'trn_01a1f9b8b390778fbdcffc626ba7e3cf', '6', 'user', '[{"text": "and here?", "type": "text"}]', NULL,  E'\\xfed423efd2e10f80e6cd29a425d1bd31d8f9bf41007758f2e4b7df4380a894af', '2026-11-20 16:09:53.809417+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_cbbaf7821a0c73f33c0c8e8781fe0e76', 'u_anna', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', '3', 'assistant', '[{"text": "hello yourself", "type": "text"}]', NULL, NULL, '2026-11-20 16:09:53.79997+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_681f1af23c5c7a3258d61a3fdafbe817', 'u_anna', 'trn_01a1f9b8b35c7098b75314526e65e431', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "end_turn"}', '2026-11-20 16:09:53.790682+00', '2026-11-20 16:09:53.799729+00');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'message.created', '2026-11-20 16:09:53.759222+00', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', NULL, 'u_anna', '{"role": "user", "content": [{"text": "hello", "type": "text"}], "message_id": "msg_01a1f9b8b35c7098b7531451d5828cc8"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'turn.started', '2026-11-20 16:09:53.775465+00', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'message.created', '2026-11-20 16:09:53.800096+00', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', 'stp_681f1af23c5c7a3258d61a3fdafbe817', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"text": "hello yourself", "type": "text"}], "message_id": "msg_cbbaf7821a0c73f33c0c8e8781fe0e76"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'turn.completed', '2026-11-20 16:09:53.800194+00', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b35c7098b75314526e65e431', 'stp_681f1af23c5c7a3258d61a3fdafbe817', 'grow-agent:u_anna', '{"text": "hello yourself"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'message.created', '2026-11-20 16:09:53.807379+00', 'thr_01a1f9b8b33d74a4bb1f0856e22d4160', 'trn_01a1f9b8b38d736b8821e6a8f8abb7e4', NULL, 'u_anna', '{"role": "user", "content": [{"text": "are you there?", "type": "text"}], "message_id": "msg_01a1f9b8b38d736b8821e6a7497a6918"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'message.created', '2026-11-20 16:09:53.809409+00', 'thr_01a1f9b8b390778fbdcffc6007e0ac73', 'trn_01a1f9b8b390778fbdcffc626ba7e3cf', NULL, 'u_anna', '{"role": "user", "content": [{"text": "and here?", "type": "text"}], "message_id": "msg_01a1f9b8b390778fbdcffc61f35f810b"}');
insert into usage (call_id, user_id, turn_id, step_id, provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, at) values
  ('stp_681f1af23c5c7a3258d61a3fdafbe817.1.1', 'u_anna', 'trn_01a1f9b8b35c7098b75314526e65e431', 'stp_681f1af23c5c7a3258d61a3fdafbe817', 'p', 'm', '5', '3', '0', '0', '2026-11-20 16:09:53.804781+00');
