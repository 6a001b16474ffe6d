insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:09:54.901614+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '22', '0', '0');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '-infinity', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'u_anna', 'master', 'Master', '2026-11-20 16:09:54.901908+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b7d973d9a05a97dc088987d7', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'grow-agent:u_anna', '1', 'completed', NULL, '1', '1', 'false', 'hello yourself', NULL, '2026-11-20 16:09:54.910604+00', '2026-11-20 16:09:54.914249+00', '2026-11-20 16:09:54.93543+00', '2026-11-20 16:39:54.914249+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'grow-agent:u_anna', '5', 'completed', NULL, '1', '1', 'false', 'seven', NULL, '2026-11-20 16:09:54.940656+00', '2026-11-20 16:09:54.952348+00', '2026-11-20 16:09:54.974419+00', '2026-11-20 16:39:54.952348+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'grow-agent:u_anna', '14', 'cancelled', NULL, '1', '1', 'true', NULL, NULL, '2026-11-20 16:09:54.976172+00', '2026-11-20 16:09:54.977624+00', '2026-11-20 16:09:54.998777+00', '2026-11-20 16:39:54.977624+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b8397123b0ff401ad9c4cee3', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'grow-agent:u_anna', '20', 'failed', NULL, '1', '1', 'false', NULL, '{"code": "model_error", "message": "the model did not answer"}', '2026-11-20 16:09:55.004137+00', '2026-11-20 16:09:55.00826+00', '2026-11-20 16:09:55.013431+00', '2026-11-20 16:39:55.008261+00', NULL);
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b7d973d9a05a97dbb07077b0', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', '1', 'user', '[{"text": "hello", "type": "text"}]', NULL,  E'\\xa1ad92f331dce2e080cd8f255c25493ea14d633994010634488edc948bf6d2ce', '2026-11-20 16:09:54.909657+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b7fb72a5960dd4edd6c5474e', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '5', 'user', '[{"text": "count", "type": "text"}]', NULL,  E'\\x8f1d866720ed9139f2b9202c1d423182d363ad97c611acb7e28b60b55f5d1efe', '2026-11-20 16:09:54.940639+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b81f73ed9e19a64aee107ae4', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', '14', 'user', '[{"text": "launch, but stop in the middle", "type": "text"}]', NULL,  E'\\xe9a124735e8e9040b4e985b205192d0a65aae979590b08e92c1f13dbaf0273be', '2026-11-20 16:09:54.976157+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b8397123b0ff401975ef5ee2', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b8397123b0ff401ad9c4cee3', '20', 'user', '[{"text": "fail", "type": "text"}]', NULL,  E'\\xefa82c052dc605d7ddbf9faf6513c76f6924459a99d7ed7dfef70afb9b694501', '2026-11-20 16:09:55.004116+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_027cc874565863ddbce7bf2229c6d269', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', '3', 'assistant', '[{"text": "hello yourself", "type": "text"}]', NULL, NULL, '2026-11-20 16:09:54.935464+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_3730bbe13cfee03563fe71a14fa6e946', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '11', 'tool', '[{"type": "tool_result", "content": "counted 7", "tool_use_id": "toolu_a"}]', NULL, NULL, '2026-11-20 16:09:54.972971+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_e0835ac3db83859a90e7f1e59f37766a', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '12', 'assistant', '[{"text": "seven", "type": "text"}]', NULL, NULL, '2026-11-20 16:09:54.974442+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_ed69fae8753c44ac65d224c10b8635f8', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', '16', 'assistant', '[{"id": "toolu_b", "name": "launch", "type": "tool_use", "input": {}}]', NULL, NULL, '2026-11-20 16:09:54.982062+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_ed97372c58aefb2d98f7cf3068833a8d', 'u_anna', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '7', 'assistant', '[{"id": "toolu_a", "name": "count", "type": "tool_use", "input": {"number": 7}}]', NULL, NULL, '2026-11-20 16:09:54.962163+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_28edacd05b648610d1b8fc774c546fdd', 'u_anna', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "tool_use"}', '2026-11-20 16:09:54.959734+00', '2026-11-20 16:09:54.962113+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_357a854de385dac321abfe4298b294fb', 'u_anna', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "end_turn"}', '2026-11-20 16:09:54.928374+00', '2026-11-20 16:09:54.934314+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_373f587837dca44e68d980f4b8515306', 'u_anna', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', '1', 'tool', 'launch', 'toolu_b', 'unsafe', 'unknown', '1', '{}', '{"content": "interrupted: the turn was cancelled before this was done"}', '2026-11-20 16:09:54.983568+00', '2026-11-20 16:09:54.998816+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_523bb1503c9cf8213727f1060696880c', 'u_anna', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '2', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "end_turn"}', '2026-11-20 16:09:54.972892+00', '2026-11-20 16:09:54.974367+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_634011122aa60565947602e2a3d4d026', 'u_anna', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', '1', 'tool', 'count', 'toolu_a', 'idempotent', 'done', '1', '{"number": 7}', '{"content": "counted 7"}', '2026-11-20 16:09:54.96471+00', '2026-11-20 16:09:54.971651+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_72d64d14902833a48fee0c1468ba7d3a', 'u_anna', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "tool_use"}', '2026-11-20 16:09:54.979524+00', '2026-11-20 16:09:54.981987+00');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'message.created', '2026-11-20 16:09:54.909456+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', NULL, 'u_anna', '{"role": "user", "content": [{"text": "hello", "type": "text"}], "message_id": "msg_01a1f9b8b7d973d9a05a97dbb07077b0"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'turn.started', '2026-11-20 16:09:54.914412+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'message.created', '2026-11-20 16:09:54.9355+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', 'stp_357a854de385dac321abfe4298b294fb', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"text": "hello yourself", "type": "text"}], "message_id": "msg_027cc874565863ddbce7bf2229c6d269"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'turn.completed', '2026-11-20 16:09:54.93551+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', 'stp_357a854de385dac321abfe4298b294fb', 'grow-agent:u_anna', '{"text": "hello yourself"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'message.created', '2026-11-20 16:09:54.940629+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', NULL, 'u_anna', '{"role": "user", "content": [{"text": "count", "type": "text"}], "message_id": "msg_01a1f9b8b7fb72a5960dd4edd6c5474e"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'turn.started', '2026-11-20 16:09:54.955319+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '7', 'message.created', '2026-11-20 16:09:54.962189+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_28edacd05b648610d1b8fc774c546fdd', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"id": "toolu_a", "name": "count", "type": "tool_use", "input": {"number": 7}}], "message_id": "msg_ed97372c58aefb2d98f7cf3068833a8d"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '8', 'tool.requested', '2026-11-20 16:09:54.962198+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_28edacd05b648610d1b8fc774c546fdd', 'grow-agent:u_anna', '{"name": "count", "input": {"number": 7}, "tool_use_id": "toolu_a"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '9', 'tool.started', '2026-11-20 16:09:54.9649+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_634011122aa60565947602e2a3d4d026', 'grow-agent:u_anna', '{"name": "count", "epoch": 1, "input": {"number": 7}, "tool_use_id": "toolu_a"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '10', 'tool.completed', '2026-11-20 16:09:54.971711+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_634011122aa60565947602e2a3d4d026', 'grow-agent:u_anna', '{"name": "count", "output": "counted 7", "tool_use_id": "toolu_a"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '11', 'message.created', '2026-11-20 16:09:54.972992+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_523bb1503c9cf8213727f1060696880c', 'grow-agent:u_anna', '{"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "toolu_a"}], "message_id": "msg_3730bbe13cfee03563fe71a14fa6e946"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '12', 'message.created', '2026-11-20 16:09:54.97448+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_523bb1503c9cf8213727f1060696880c', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"text": "seven", "type": "text"}], "message_id": "msg_e0835ac3db83859a90e7f1e59f37766a"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '13', 'turn.completed', '2026-11-20 16:09:54.974486+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b7fb72a5960dd4eed740b5ce', 'stp_523bb1503c9cf8213727f1060696880c', 'grow-agent:u_anna', '{"text": "seven"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '14', 'message.created', '2026-11-20 16:09:54.976149+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', NULL, 'u_anna', '{"role": "user", "content": [{"text": "launch, but stop in the middle", "type": "text"}], "message_id": "msg_01a1f9b8b81f73ed9e19a64aee107ae4"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '15', 'turn.started', '2026-11-20 16:09:54.977683+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '16', 'message.created', '2026-11-20 16:09:54.982157+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', 'stp_72d64d14902833a48fee0c1468ba7d3a', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"id": "toolu_b", "name": "launch", "type": "tool_use", "input": {}}], "message_id": "msg_ed69fae8753c44ac65d224c10b8635f8"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '17', 'tool.requested', '2026-11-20 16:09:54.982169+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', 'stp_72d64d14902833a48fee0c1468ba7d3a', 'grow-agent:u_anna', '{"name": "launch", "input": {}, "tool_use_id": "toolu_b"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '18', 'tool.started', '2026-11-20 16:09:54.983643+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', 'stp_373f587837dca44e68d980f4b8515306', 'grow-agent:u_anna', '{"name": "launch", "epoch": 1, "input": {}, "tool_use_id": "toolu_b"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '19', 'turn.cancelled', '2026-11-20 16:09:54.998866+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b81f73ed9e19a64b0e5bfa30', NULL, 'grow-agent:u_anna', '{}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '20', 'message.created', '2026-11-20 16:09:55.004105+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b8397123b0ff401ad9c4cee3', NULL, 'u_anna', '{"role": "user", "content": [{"text": "fail", "type": "text"}], "message_id": "msg_01a1f9b8b8397123b0ff401975ef5ee2"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '21', 'turn.started', '2026-11-20 16:09:55.008426+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b8397123b0ff401ad9c4cee3', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '22', 'turn.failed', '2026-11-20 16:09:55.013484+00', 'thr_01a1f9b8b7cb7056b6b4530fdeffd2c9', 'trn_01a1f9b8b8397123b0ff401ad9c4cee3', NULL, 'grow-agent:u_anna', '{"error": {"code": "model_error", "message": "the model did not answer"}}');
insert into usage (call_id, user_id, turn_id, step_id, provider, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, at) values
  ('stp_357a854de385dac321abfe4298b294fb.1.1', 'u_anna', 'trn_01a1f9b8b7d973d9a05a97dc088987d7', 'stp_357a854de385dac321abfe4298b294fb', 'p', 'm', '5', '3', '0', '0', '2026-11-20 16:09:54.937571+00');
insert into repo (user_id, name, description, created_at) values
  ('u_anna', 'site', 'a project', '2026-11-20 16:09:55.014534+00');
