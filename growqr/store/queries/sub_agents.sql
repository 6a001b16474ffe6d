-- spawn_sub_agent --
-- Sub-agent, lease and channel appear together; none beyond the limit of live ones. After
-- lock_stream, so that the count is right.
with allowed as (
  select 1 where not exists (select 1 from sub_agent where user_id = %(user)s and id = %(id)s)
     and (select count(*) from sub_agent
           where user_id = %(user)s and stopped_at is null) < %(limit)s
), l as (
  insert into lease (key, user_id) select %(lease_key)s, %(user)s from allowed
), t as (
  insert into thread (id, user_id, kind, title)
  select %(thread)s, %(user)s, 'channel', %(channel)s from allowed
), s as (
  insert into sub_agent (user_id, id, type, channel_id, thread_id, lease_key, depth)
  select %(user)s, %(id)s, %(type)s, %(channel)s, %(thread)s, %(lease_key)s, %(depth)s from allowed
  returning thread_id
), counter as (
  update stream set last_seq = last_seq + 1 from s where user_id = %(user)s returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select %(user)s, last_seq, 'sub_agent.spawned', s.thread_id, %(actor)s, %(data)s from s, counter
)
select last_seq as seq from counter

-- sub_agent_as_it_is --
-- Who made it is told by the first event of its channel, as long as that is kept.
select a.user_id, a.id, a.type, a.channel_id, a.thread_id, a.lease_key, a.depth, a.session_id,
       a.created_at, a.stopped_at, t.state as last_turn, t.id as turn_id, made.actor as parent
  from sub_agent a
  left join lateral (
    select id, state from turn where lease_key = a.lease_key
     order by finished_at is null desc, state = 'queued', seq desc limit 1) t on true
  left join lateral (
    select actor, type from event where thread_id = a.thread_id order by seq limit 1) made
    on made.type = 'sub_agent.spawned'

-- get_sub_agent --
{sub_agent_as_it_is}
 where a.user_id = %(user)s and a.id = %(id)s

-- list_sub_agents --
{sub_agent_as_it_is}
 where a.user_id = %(user)s and a.id > %(after)s order by a.id limit %(limit)s

-- sub_agent_of_channel --
{sub_agent_as_it_is}
 where a.user_id = %(user)s and a.channel_id = %(channel)s and a.stopped_at is null

-- sub_agent_of_lease --
select a.user_id, a.id, a.type, a.channel_id, a.thread_id, a.lease_key, a.depth, a.session_id,
       a.created_at, a.stopped_at, null as last_turn
  from sub_agent a where a.lease_key = %(key)s

-- stop_sub_agent --
with s as (
  update sub_agent set stopped_at = clock_timestamp()
   where user_id = %(user)s and id = %(id)s and stopped_at is null returning thread_id
), counter as (
  update stream set last_seq = last_seq + 1 from s where user_id = %(user)s returning last_seq
), told as (
  insert into event (user_id, seq, type, thread_id, actor, data)
  select %(user)s, last_seq, 'sub_agent.stopped', s.thread_id, %(actor)s, %(data)s from s, counter
)
select last_seq as seq from counter
