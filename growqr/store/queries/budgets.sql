-- spent --
-- What a user has used today (UTC) and, where a turn is given, its whole tree: from the turn that
-- nobody's step waits for down to all that were delegated from it. Where the tree was asked with
-- an API key that may use so much a day (`base`), also what all turns of the key used today. Each
-- amount is one row, with what was spent when somebody last allowed more, and on the day's the cap
-- that an admin gave this user.
with recursive up as (
  select %(turn)s::text as id, 0 as height
  union all
  select step.turn_id, up.height + 1
    from up join turn on turn.id = up.id join step on step.id = turn.parent_step
), root as (
  select id from up where id is not null order by height desc limit 1
), tree as (
  select id from root
  union all
  select turn.id
    from tree join step on step.turn_id = tree.id and step.kind = 'tool'
              join turn on turn.parent_step = step.id
), day as (
  select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as began,
         to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as name
), used as (
  select 1 as place, 'turn:' || root.id as scope, null::float8 as base, sums.*
    from root, lateral (
      select coalesce(sum(input_tokens + output_tokens + cache_read_tokens
                          + cache_write_tokens), 0) as tokens,
             coalesce(sum(micro_usd), 0) as micro_usd, coalesce(sum(model_ms), 0) as model_ms
        from usage where turn_id in (select id from tree) and user_id = %(user)s) as sums
  union all
  select 2, 'day:' || (select name from day) || ':' || %(user)s::text, null,
         coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0),
         coalesce(sum(micro_usd), 0), coalesce(sum(model_ms), 0)
    from usage
   where user_id = %(user)s and at >= (select began from day)
  union all
  select 3, 'key:' || k.id || ':' || day.name, k.day_tokens, sums.tokens, 0, 0
    from root join turn on turn.id = root.id join api_key k on k.id = turn.api_key, day,
         lateral (
      select coalesce(sum(u.input_tokens + u.output_tokens + u.cache_read_tokens
                          + u.cache_write_tokens), 0) as tokens
        from usage u join turn t on t.id = u.turn_id
       where u.user_id = %(user)s and u.at >= day.began and t.api_key = k.id) as sums
   where k.user_id = %(user)s and k.day_tokens is not null
), granted as (
  select asked ->> 'scope' as scope, asked ->> 'unit' as unit,
         max((asked ->> 'spent')::float8) as upon
    from decision
   where kind = 'budget' and state = 'approved' and user_id = %(user)s
     and asked ->> 'scope' in (select scope from used)
   group by 1, 2
)
select used.scope, amounts.unit, used.base, amounts.spent::float8 as spent,
       coalesce(granted.upon, 0) as granted,
       case when used.place = 2 then case amounts.unit
         when 'tokens' then u.day_tokens::float8 when 'usd' then u.day_usd end end as cap
  from used
  cross join lateral (values (1, 'tokens', used.tokens), (2, 'usd', used.micro_usd / 1e6),
                             (3, 'seconds', used.model_ms / 1e3)) as amounts (place, unit, spent)
  left join users u on u.id = %(user)s
  left join granted on granted.scope = used.scope and granted.unit = amounts.unit
 where used.base is null or amounts.unit = 'tokens'
 order by used.place, amounts.place
