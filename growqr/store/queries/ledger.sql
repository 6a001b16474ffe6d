-- record_usage --
insert into usage (call_id, user_id, turn_id, step_id, provider, model, input_tokens,
                   output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, model_ms)
values (%(call_id)s, %(user)s, %(turn)s, %(step)s, %(provider)s, %(model)s, %(input_tokens)s,
        %(output_tokens)s, %(cache_read_tokens)s, %(cache_write_tokens)s, %(micro_usd)s,
        %(model_ms)s)
    on conflict (call_id) do nothing returning call_id

-- usage_of_turn --
select count(*) as calls, coalesce(sum(input_tokens), 0)::bigint as input_tokens,
       coalesce(sum(output_tokens), 0)::bigint as output_tokens,
       coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
       coalesce(sum(cache_write_tokens), 0)::bigint as cache_write_tokens,
       coalesce(sum(micro_usd), 0)::bigint as micro_usd,
       coalesce(sum(model_ms), 0)::bigint as model_ms
  from usage where turn_id = %(turn)s

-- newest_model --
select provider, model as name from usage where user_id = %(user)s order by at desc limit 1

-- lock_key --
-- One request per key at a time, until its transaction ends.
select pg_try_advisory_xact_lock(hashtextextended(%(user)s || chr(10) || %(key)s, 0)) as locked

-- find_answer --
select route, body_sha, status, answer from idempotency
 where user_id = %(user)s and key = %(key)s
   and created_at > clock_timestamp() - interval '24 hours'

-- keep_answer --
insert into idempotency (user_id, key, route, body_sha, status, answer)
values (%(user)s, %(key)s, %(route)s, %(body_sha)s, %(status)s, %(answer)s)
    on conflict (user_id, key) do update
   set route = excluded.route, body_sha = excluded.body_sha, status = excluded.status,
       answer = excluded.answer, created_at = excluded.created_at
