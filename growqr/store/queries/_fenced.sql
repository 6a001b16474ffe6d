-- fenced --
-- The one form of every write by the owner of a lease. The lease row is locked in the statement
-- that changes something and to its commit, so a takeover is either before it (no row, nothing
-- happens) or after it. Not `for share`: writers side by side would overtake a renewal for ever,
-- and the stream lets only one through anyway. Rows are locked in the order lease, turn, other
-- changed rows, stream.
-- {change} defines the CTE `change` (at most one row: thread_id, turn_id, step_id, note), which
-- reads `fence`; {then} may add CTEs that read `change` and `counter`.
with fence as (
  select key, epoch, user_id from lease
   where key = %(fence_key)s and epoch = %(fence_epoch)s for no key update
),
{change},
counter as (
  update stream set last_seq = last_seq + cardinality(%(types)s::text[]) from fence, change
   where stream.user_id = fence.user_id returning last_seq
),
told as (
  insert into event (user_id, seq, type, thread_id, turn_id, step_id, actor, data)
  select fence.user_id, counter.last_seq - cardinality(%(types)s::text[]) + e.nr, e.type,
         coalesce(e.thread_id, change.thread_id), coalesce(e.turn_id, change.turn_id),
         coalesce(e.step_id, change.step_id), coalesce(e.actor, fence.key),
         case when e.turn_id is null then change.note || e.data else e.data end
    from fence, change, counter,
         unnest(%(types)s::text[], %(threads)s::text[], %(turns)s::text[], %(steps)s::text[],
                %(actors)s::text[], %(datas)s::jsonb[])
           with ordinality as e(type, thread_id, turn_id, step_id, actor, data, nr)
){then}
select (select count(*) from fence) as held, (select user_id from fence) as user_id,
       change.turn_id, change.step_id, change.note, counter.last_seq as seq
  from (values (1)) as always(one) left join change on true left join counter on true
