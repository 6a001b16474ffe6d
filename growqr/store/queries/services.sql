-- service_columns --
user_id, role, desired, state, generation, spec_sha, address, reason, failures, retry_at, used_at,
updated_at

-- get_service --
select {service_columns} from service where user_id = %(user)s and role = %(role)s

-- newest_services --
select {service_columns} from service order by updated_at desc limit %(limit)s

-- services_of --
select {service_columns} from service where user_id = %(user)s order by role

-- want_service --
-- Wanting is using. A wish of the user (`again`) ends a pause after failures.
insert into service (user_id, role, desired) values (%(user)s, %(role)s, %(desired)s)
    on conflict (user_id, role) do update
   set desired = excluded.desired, used_at = clock_timestamp(),
       retry_at = case when %(again)s then null else service.retry_at end,
       failures = case when %(again)s then 0 else service.failures end
returning {service_columns}

-- touch_service --
update service set used_at = clock_timestamp() where user_id = %(user)s and role = %(role)s
returning role

-- service_is_idle --
-- Long unused, and no prompt is under way in it.
select 1 as idle from service s
 where s.user_id = %(user)s and s.role = %(role)s
   and s.used_at < clock_timestamp() - make_interval(secs => %(idle)s)
   and not exists (
     select 1 from turn t join step p on p.turn_id = t.id
      where t.user_id = s.user_id and t.state in ('running', 'waiting')
        and p.kind = 'prompt' and p.state = 'intent')

-- due_services --
-- What is wanted differs from what was seen, a pause is over, or it is long unused.
select {service_columns} from service
 where desired = 'stopped' and state not in ('stopped', 'absent')
    or desired = 'ready' and state <> 'ready'
       and (retry_at is null or retry_at < clock_timestamp())
    or desired = 'ready' and state = 'ready'
       and used_at < clock_timestamp() - make_interval(secs => %(idle)s)
 order by updated_at limit %(limit)s

-- users_with_services --
-- Whoever may have a process: what the full round looks at.
select distinct user_id from service
 where desired = 'ready' or state not in ('stopped', 'absent')

-- observe_service --
change as (
  update service s
     set desired = coalesce(%(desired)s, s.desired), state = %(state)s,
         generation = %(generation)s, spec_sha = %(spec_sha)s, address = %(address)s,
         reason = %(reason)s, failures = %(failures)s,
         retry_at = clock_timestamp() + make_interval(secs => %(retry)s),
         updated_at = clock_timestamp()
    from fence
   where s.user_id = fence.user_id and s.user_id = %(user)s and s.role = %(role)s
     and (s.desired, s.state, s.generation, s.spec_sha, s.address, s.reason, s.failures)
         is distinct from (coalesce(%(desired)s, s.desired), %(state)s, %(generation)s::bigint,
                           %(spec_sha)s, %(address)s, %(reason)s, %(failures)s::int)
  returning null::text as thread_id, null::text as turn_id, null::text as step_id,
            jsonb_build_object('role', s.role, 'generation', s.generation) as note
)
