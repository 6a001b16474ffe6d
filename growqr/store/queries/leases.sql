-- get_lease --
select key, epoch, expires_at > clock_timestamp() as live from lease where key = %(key)s

-- lease_holder --
select key, epoch, expires_at > clock_timestamp() as live, holder from lease where key = %(key)s

-- lease_owner --
-- Whose lease it is and its epoch: what the gateway compares a token with.
select user_id, epoch from lease where key = %(key)s

-- take_lease --
-- Only the actor named <key>#<epoch> comes here with that epoch; an older one finds no row.
update lease set epoch = %(epoch)s, holder = %(holder)s, start_since = null,
       expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
 where key = %(key)s and epoch = %(epoch)s - 1 and expires_at < clock_timestamp()
returning epoch

-- acquire_lease --
-- For keys without actor names: the next epoch, whatever it is, once the former has expired.
insert into lease (key, user_id, epoch, holder, expires_at)
values (%(key)s, %(user)s, 1, %(holder)s, clock_timestamp() + make_interval(secs => %(ttl)s))
    on conflict (key) do update
   set epoch = lease.epoch + 1, holder = excluded.holder, expires_at = excluded.expires_at
 where lease.expires_at < clock_timestamp()
returning epoch

-- renew_lease --
-- What was given back stays given back: a renewal that comes late must not bring it to life.
update lease set expires_at = clock_timestamp() + make_interval(secs => %(ttl)s)
 where key = %(key)s and epoch = %(epoch)s and expires_at > '-infinity' returning epoch

-- release_lease --
-- By its owner at the end, or by whoever saw the owner's process die.
update lease set expires_at = '-infinity' where key = %(key)s and epoch = %(epoch)s returning epoch

-- lock_fence --
select 1 from lease where key = %(fence_key)s and epoch = %(fence_epoch)s for no key update

-- lock_lease --
select 1 from lease where key = %(key)s and epoch = %(epoch)s for update

-- lock_stream --
-- A message is accepted under this row's lock, so what follows in this transaction sees it.
select 1 from stream where user_id = %(user)s for update

-- release_idle --
-- After lock_lease and lock_stream: give the lease back only when no work is left.
update lease set expires_at = '-infinity'
 where key = %(key)s and epoch = %(epoch)s
   and not exists (select 1 from turn where lease_key = %(key)s and state in ('queued', 'running'))
returning epoch

-- burn_epoch --
-- Give up a start that never took its epoch: whoever comes late with it finds no row.
update lease set epoch = %(epoch)s, holder = null, start_since = null
 where key = %(key)s and epoch = %(epoch)s - 1 and expires_at < clock_timestamp()
returning epoch

-- live_holders --
select key, epoch, true as live, holder from lease
 where expires_at > clock_timestamp()
   and exists (select 1 from unnest(%(kinds)s::text[]) as k where starts_with(key, k))
 order by key
