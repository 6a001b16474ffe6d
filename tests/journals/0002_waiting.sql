insert into users (id, issuer, subject, name, created_at) values
  ('u_anna', 'growqr:local', 'anna', 'anna', '2026-11-20 16:09:54.253159+00');
insert into stream (user_id, last_seq, retention_floor, memory_number) values
  ('u_anna', '10', '0', '0');
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('grow-agent:u_anna', 'u_anna', '1', 'an agent of then', '2026-11-20 16:10:54.27305+00', NULL);
insert into lease (key, user_id, epoch, holder, expires_at, start_since) values
  ('sub-agent:u_anna:coding-0a1b2c3d', 'u_anna', '1', 'an agent of then', '2026-11-20 16:10:54.311504+00', NULL);
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'u_anna', 'master', 'Master', '2026-11-20 16:09:54.253482+00');
insert into thread (id, user_id, kind, title, created_at) values
  ('thr_03fec0c9a97eddf95634027d39886cf4', 'u_anna', 'channel', 'ch-coding-0a1b2c3d', '2026-11-20 16:09:54.258248+00');
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', 'u_anna', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'grow-agent:u_anna', '2', 'waiting', 'sub_agent', '1', '1', 'false', NULL, NULL, '2026-11-20 16:09:54.267441+00', '2026-11-20 16:09:54.282833+00', NULL, '2026-11-20 16:39:54.282834+00', NULL);
insert into turn (id, user_id, thread_id, lease_key, seq, state, waiting, epoch, claims, cancel_requested, result, error, created_at, started_at, finished_at, deadline_at, parent_step) values
  ('trn_01a1f9b8b57d7135bad8798caf9099f8', 'u_anna', 'thr_03fec0c9a97eddf95634027d39886cf4', 'sub-agent:u_anna:coding-0a1b2c3d', '6', 'running', NULL, '1', '1', 'false', NULL, NULL, '2026-11-20 16:09:54.304218+00', '2026-11-20 16:09:54.313598+00', NULL, '2026-11-20 16:39:54.313598+00', 'stp_3ec89cfe58f94881ea384c5cb7b8c052');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b55874dd9e3d91b7595040a8', 'u_anna', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', '2', 'user', '[{"text": "have it done", "type": "text"}]', NULL,  E'\\x67230468f44fd4f06c84fa4addb8f7669c1a107f78468a716e9c136a1f45fcfc', '2026-11-20 16:09:54.267214+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_01a1f9b8b57d7135bad8798b733da5dd', 'u_anna', 'thr_03fec0c9a97eddf95634027d39886cf4', 'trn_01a1f9b8b57d7135bad8798caf9099f8', '6', 'user', '[{"text": "look around", "type": "text"}]', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca:toolu_run',  E'\\x02a40e39320dbf19f2ace947976d7356fc0f5b93d987d19145d8438b337faf6c', '2026-11-20 16:09:54.304192+00');
insert into message (id, user_id, thread_id, turn_id, seq, role, content, client_key, body_sha, created_at) values
  ('msg_ac008d091be2eace93fb8ad227036635', 'u_anna', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', '4', 'assistant', '[{"id": "toolu_run", "name": "run_sub_agent", "type": "tool_use", "input": {"prompt": "look around", "sub_agent_id": "coding-0a1b2c3d"}}]', NULL, NULL, '2026-11-20 16:09:54.29772+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_1cc60c6ad852b97ed1d3c79fc5ede7e0', 'u_anna', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', '1', 'model', 'default', NULL, NULL, 'done', '1', '{}', '{"model": "m", "usage": {}, "stop_reason": "tool_use"}', '2026-11-20 16:09:54.292886+00', '2026-11-20 16:09:54.297648+00');
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_3ec89cfe58f94881ea384c5cb7b8c052', 'u_anna', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', '1', 'tool', 'run_sub_agent', 'toolu_run', 'idempotent', 'intent', '1', '{"prompt": "look around", "sub_agent_id": "coding-0a1b2c3d"}', NULL, '2026-11-20 16:09:54.299646+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_45390527ff62469dd359d71bceb44a84', 'u_anna', 'trn_01a1f9b8b57d7135bad8798caf9099f8', '1', 'tool', 'bash', 'prt_tool', 'unsafe', 'intent', '1', '{"command": "ls"}', NULL, '2026-11-20 16:09:54.321749+00', NULL);
insert into step (id, user_id, turn_id, position, kind, name, tool_use_id, effect, state, epoch, input, output, started_at, finished_at) values
  ('stp_e2d2fde0ddfe89ffa8703b57bfb730af', 'u_anna', 'trn_01a1f9b8b57d7135bad8798caf9099f8', '1', 'prompt', 'opencode', NULL, NULL, 'intent', '1', '{"part_id": "prt_of_then", "directory": "/work", "message_id": "msg_of_then", "session_id": "ses_of_then"}', NULL, '2026-11-20 16:09:54.319379+00', NULL);
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '1', 'sub_agent.spawned', '2026-11-20 16:09:54.258125+00', 'thr_03fec0c9a97eddf95634027d39886cf4', NULL, NULL, 'grow-agent:u_anna', '{"type": "coding", "channel_id": "ch-coding-0a1b2c3d", "sub_agent_id": "coding-0a1b2c3d"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '2', 'message.created', '2026-11-20 16:09:54.267197+00', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', NULL, 'u_anna', '{"role": "user", "content": [{"text": "have it done", "type": "text"}], "message_id": "msg_01a1f9b8b55874dd9e3d91b7595040a8"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '3', 'turn.started', '2026-11-20 16:09:54.283404+00', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', NULL, 'grow-agent:u_anna', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '4', 'message.created', '2026-11-20 16:09:54.29782+00', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', 'stp_1cc60c6ad852b97ed1d3c79fc5ede7e0', 'grow-agent:u_anna', '{"role": "assistant", "content": [{"id": "toolu_run", "name": "run_sub_agent", "type": "tool_use", "input": {"prompt": "look around", "sub_agent_id": "coding-0a1b2c3d"}}], "message_id": "msg_ac008d091be2eace93fb8ad227036635"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '5', 'tool.requested', '2026-11-20 16:09:54.297829+00', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', 'stp_1cc60c6ad852b97ed1d3c79fc5ede7e0', 'grow-agent:u_anna', '{"name": "run_sub_agent", "input": {"prompt": "look around", "sub_agent_id": "coding-0a1b2c3d"}, "tool_use_id": "toolu_run"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '6', 'message.created', '2026-11-20 16:09:54.304177+00', 'thr_03fec0c9a97eddf95634027d39886cf4', 'trn_01a1f9b8b57d7135bad8798caf9099f8', NULL, 'u_anna', '{"role": "user", "content": [{"text": "look around", "type": "text"}], "message_id": "msg_01a1f9b8b57d7135bad8798b733da5dd", "parent_turn": "trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '7', 'turn.waiting', '2026-11-20 16:09:54.310561+00', 'thr_01a1f9b8b54077b695d0b6f972fb1ab8', 'trn_01a1f9b8b55874dd9e3d91b8ae0ca2ca', NULL, 'grow-agent:u_anna', '{"waiting": "sub_agent"}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '8', 'turn.started', '2026-11-20 16:09:54.314374+00', 'thr_03fec0c9a97eddf95634027d39886cf4', 'trn_01a1f9b8b57d7135bad8798caf9099f8', NULL, 'sub-agent:u_anna:coding-0a1b2c3d', '{"epoch": 1, "claims": 1, "resumed": false}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '9', 'sub_agent.started', '2026-11-20 16:09:54.319637+00', 'thr_03fec0c9a97eddf95634027d39886cf4', 'trn_01a1f9b8b57d7135bad8798caf9099f8', 'stp_e2d2fde0ddfe89ffa8703b57bfb730af', 'sub-agent:u_anna:coding-0a1b2c3d', '{"epoch": 1}');
insert into event (user_id, seq, type, time, thread_id, turn_id, step_id, actor, data) values
  ('u_anna', '10', 'tool.started', '2026-11-20 16:09:54.321818+00', 'thr_03fec0c9a97eddf95634027d39886cf4', 'trn_01a1f9b8b57d7135bad8798caf9099f8', 'stp_45390527ff62469dd359d71bceb44a84', 'sub-agent:u_anna:coding-0a1b2c3d', '{"name": "bash", "epoch": 1, "input": {"command": "ls"}, "tool_use_id": "prt_tool"}');
insert into sub_agent (user_id, id, type, channel_id, thread_id, lease_key, depth, session_id, created_at, stopped_at) values
  ('u_anna', 'coding-0a1b2c3d', 'coding', 'ch-coding-0a1b2c3d', 'thr_03fec0c9a97eddf95634027d39886cf4', 'sub-agent:u_anna:coding-0a1b2c3d', '1', 'ses_of_then', '2026-11-20 16:09:54.25797+00', NULL);
insert into service (user_id, role, desired, state, generation, spec_sha, address, reason, failures, retry_at, used_at, updated_at) values
  ('u_anna', 'opencode', 'ready', 'absent', '0', NULL, NULL, NULL, '0', NULL, '2026-11-20 16:09:54.323597+00', '2026-11-20 16:09:54.323597+00');
