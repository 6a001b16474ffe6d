-- service_columns --
user_id, role, desired, state, generation, spec_sha, address, reason, failures, failed_at, retry_at,
decision, used_at, updated_at

-- get_service --
select {service_columns} from service where user_id = %(user)s and role = %(role)s

-- newest_services --
select {service_columns} from service order by updated_at desc limit %(limit)s

-- services_of --
select {service_columns} from service where user_id = %(user)s order by role

-- want_service --
-- Wanting is using. A wish of the user (`again`) ends a pause after failures. What runs is of
-- another generation than the row (`anew`), so it is started again.
insert into service (user_id, role, desired) values (%(user)s, %(role)s, %(desired)s)
    on conflict (user_id, role) do update
   set desired = excluded.desired, used_at = clock_timestamp(),
       generation = service.generation + case when %(anew)s then 1 else 0 end,
       retry_at = case when %(again)s then null else service.retry_at end,
       failures = case when %(again)s then 0 else service.failures end,
       failed_at = case when %(again)s then '{}' else service.failed_at end,
       decision = case when %(again)s then null else nullif(service.decision, 'leave') end
returning {service_columns}

-- touch_service --
-- Use ends a rest: of one that is paused, and of one that was left until it is needed.
update service set used_at = clock_timestamp(), decision = nullif(decision, 'leave')
 where user_id = %(user)s and role = %(role)s
returning desired = 'ready' and state <> 'ready' as resting

-- service_in_use --
-- Somebody used it within these seconds, or a sub-agent works in it: nobody else prompts an
-- OpenCode.
select 1 as used from service s
 where s.user_id = %(user)s and s.role = %(role)s
   and (s.used_at > clock_timestamp() - make_interval(secs => %(within)s)
        or s.role = 'opencode' and exists (
             select 1 from sub_agent a join turn t on t.lease_key = a.lease_key
              where a.user_id = s.user_id and t.state = 'running'))

-- due_services --
-- What is wanted differs from what was seen, a pause after failures is over, or it is long unused.
-- One that is paused or was left rests until it is used; a paused one ends some time later.
select {service_columns} from service
 where desired = 'stopped' and state not in ('stopped', 'absent')
    or desired = 'ready' and state not in ('ready', 'paused')
       and (retry_at is null or retry_at < clock_timestamp())
       and not (state = 'stopped' and decision is not distinct from 'leave')
    or desired = 'ready' and state = 'ready'
       and used_at < clock_timestamp() - make_interval(secs => %(idle)s)
    or desired = 'ready' and state = 'paused'
       and (used_at > updated_at
            or updated_at < clock_timestamp() - make_interval(secs => %(paused)s))
 order by updated_at limit %(limit)s

-- users_with_services --
-- Whoever may have a process: what the full round looks at.
select distinct user_id from service
 where desired = 'ready' and not (state = 'stopped' and decision is not distinct from 'leave')
    or state not in ('stopped', 'absent')

-- users_with_ready --
-- Whose services may be writing.
select distinct user_id from service where state = 'ready' order by user_id

-- undecided_services --
-- Those that ended by themselves, of which nobody has said yet what becomes of them.
select {service_columns} from service where user_id = %(user)s and decision = 'open'

-- decide_service --
-- Once: by the user's Grow Agent, or by the Host in its stead. A use that came meanwhile may change
-- what is best, and the question stays open.
change as (
  update service s set decision = %(decision)s from fence
   where s.user_id = fence.user_id and s.user_id = %(user)s and s.role = %(role)s
     and s.decision = 'open' and s.used_at = %(used_at)s
  returning null::text as thread_id, null::text as turn_id, null::text as step_id,
            jsonb_build_object('role', s.role, 'generation', s.generation) as note
)

-- observe_service --
-- `unused`: only if nobody has used it since it was looked at. Failures are left as they are unless
-- they are given: a wish may have forgiven them meanwhile.
change as (
  update service s
     set desired = coalesce(%(desired)s, s.desired), state = %(state)s,
         generation = greatest(s.generation, %(generation)s::bigint), spec_sha = %(spec_sha)s,
         address = %(address)s,
         reason = %(reason)s, failures = coalesce(%(failures)s::int, s.failures),
         failed_at = coalesce(%(failed_at)s::timestamptz[], s.failed_at),
         decision = %(decision)s,
         retry_at = clock_timestamp() + make_interval(secs => %(retry)s),
         updated_at = clock_timestamp()
    from fence
   where s.user_id = fence.user_id and s.user_id = %(user)s and s.role = %(role)s
     and (not %(unused)s or s.used_at = %(used_at)s)
     and (s.desired, s.state, s.generation, s.spec_sha, s.address, s.reason, s.failures,
          s.decision)
         is distinct from (coalesce(%(desired)s, s.desired), %(state)s, %(generation)s::bigint,
                           %(spec_sha)s, %(address)s, %(reason)s,
                           coalesce(%(failures)s::int, s.failures), %(decision)s)
  returning null::text as thread_id, null::text as turn_id, null::text as step_id,
            jsonb_build_object('role', s.role, 'generation', s.generation) as note
)
