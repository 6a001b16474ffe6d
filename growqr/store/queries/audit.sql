-- note --
-- The end of a change that the log keeps: its statement has `told` with what it was done to.
insert into audit (actor, via, action, subject, outcome, rule, address, request_id, facts)
select %(actor)s, %(actor_via)s, %(action)s, told.subject, 'done', %(rule)s, %(address)s,
       %(request)s, %(facts)s from told

-- note_refused --
insert into audit (actor, via, action, subject, outcome, rule, address, request_id, facts)
select * from unnest(%(actors)s::text[], %(vias)s::text[], %(actions)s::text[],
                     %(subjects)s::text[], %(outcomes)s::text[], %(rules)s::text[],
                     %(addresses)s::text[], %(requests)s::text[], %(facts)s::jsonb[])

-- note_done --
with told as (select %(subject)s::text as subject)
{note}

-- list_audit --
select id, at, actor, via, action, subject, outcome, rule, address, request_id, facts from audit
 where id < %(before)s and (%(who)s::text is null or actor = %(who)s or subject = %(who)s)
   and (%(what)s::text is null or starts_with(action, %(what)s))
 order by id desc limit %(limit)s
