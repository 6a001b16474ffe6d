-- admit --
-- Who stands behind a token, and one more request to their account, in one way to the database.
-- No row: nobody. A window of a minute begins with its first request.
with who as (
  select u.id as user_id, u.name, u.role, u.suspended_at is not null as suspended, 'sign_in' as kind,
         s.id as via, s.expires_at, null::text[] as scopes
    from sign_in s join users u on u.id = s.user_id
   where s.sha = %(cookie)s::bytea and s.expires_at > clock_timestamp()
  union all
  select u.id, u.name, u.role, u.suspended_at is not null, 'api_key', k.id, k.expires_at, k.scopes
    from api_key k join users u on u.id = k.user_id
   where k.id = %(key)s::text and k.sha = %(key_sha)s::bytea and k.revoked_at is null
     and (k.expires_at is null or k.expires_at > clock_timestamp())
  union all
  select u.id, u.name, u.role, u.suspended_at is not null, 'token', '', null, null
    from users u where u.id = %(user)s::text
), seen_sign_in as (
  update sign_in set used_at = clock_timestamp() from who
   where who.kind = 'sign_in' and sign_in.id = who.via
     and sign_in.used_at < clock_timestamp() - interval '1 minute'
), seen_key as (
  update api_key set used_at = clock_timestamp() from who
   where who.kind = 'api_key' and api_key.id = who.via
     and (api_key.used_at is null or api_key.used_at < clock_timestamp() - interval '1 minute')
), counted as (
  insert into allowance as a (key, since, used)
  select counter.key, clock_timestamp(), 1
    from who, lateral (values
      ('user:' || who.user_id, %(user_limit)s::int),
      ('key:' || who.via, case who.kind when 'api_key' then %(key_limit)s::int else 0 end)
    ) as counter (key, most)
   where counter.most > 0 order by counter.key
  {one_more}
)
select who.*, u.used as user_used, u.rest as user_rest, k.used as key_used, k.rest as key_rest
  from who
  left join counted u on u.key = 'user:' || who.user_id
  left join counted k on k.key = 'key:' || who.via

-- one_more --
on conflict (key) do update
   set used = case when a.since > clock_timestamp() - interval '1 minute'
                   then a.used + 1 else 1 end,
       since = case when a.since > clock_timestamp() - interval '1 minute'
                    then a.since else excluded.since end
returning key, used,
          extract(epoch from since + interval '1 minute' - clock_timestamp())::float8 as rest

-- count_stranger --
insert into allowance as a (key, since, used) values (%(key)s, clock_timestamp(), 1)
{one_more}

-- strangers_count --
select used, extract(epoch from since + interval '1 minute' - clock_timestamp())::float8 as rest
  from allowance where key = %(key)s and since > clock_timestamp() - interval '1 minute'

-- dead_ways --
-- Of the ways in that streams were opened by, those that lead nowhere any more.
select w.user_id, w.kind, w.via
  from unnest(%(users)s::text[], %(kinds)s::text[], %(vias)s::text[]) as w (user_id, kind, via)
 where exists (select 1 from users u where u.id = w.user_id and u.suspended_at is not null)
    or (w.kind = 'sign_in' and not exists (select 1 from sign_in s where s.id = w.via))
    or (w.kind = 'api_key' and not exists (
          select 1 from api_key k where k.id = w.via and k.revoked_at is null))

-- open_stream --
with gone as (
  delete from open_stream where user_id = %(user)s and expires_at < clock_timestamp()
)
insert into open_stream (id, user_id, api_key, replica, expires_at)
values (%(id)s, %(user)s, %(key)s, %(replica)s,
        clock_timestamp() + make_interval(secs => %(ttl)s))

-- count_streams --
-- A second look, so that of two that open at once each sees the other.
select count(*) as of_user, count(*) filter (where api_key = %(key)s) as of_key
  from open_stream where user_id = %(user)s and expires_at > clock_timestamp()

-- close_stream --
delete from open_stream where id = %(id)s

-- keep_streams --
update open_stream set expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
 where replica = %(replica)s

-- drop_expired --
with a as (delete from sign_in where expires_at < clock_timestamp()),
     b as (delete from sign_in_link where expires_at < clock_timestamp()),
     c as (delete from oauth_state where expires_at < clock_timestamp()),
     d as (delete from allowance where since < clock_timestamp() - interval '1 hour'),
     e as (delete from open_stream where expires_at < clock_timestamp())
select 1
