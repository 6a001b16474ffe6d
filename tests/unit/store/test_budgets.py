"""What counts as spent: a user's day, a turn with all it delegated, a day of an API key, and what
was allowed since.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.store import OPERATOR, Budget, BudgetLimits, Store, Turn, User
from tests.conftest import new_user

pytestmark = pytest.mark.anyio

CALL = {"step_id": None, "provider": "scripted", "model": "m"}


async def spend(store: Store, user: User, turn_id: str | None, tokens: int, **more: int) -> None:
    given: dict[str, Any] = CALL | {"input_tokens": tokens, "output_tokens": 0} | more
    await store.usage.record(names.new_id("req"), user_id=user.id, turn_id=turn_id, **given)


async def claimed(store: Store, fence: Fence) -> Turn:
    assert await store.leases.take(fence, holder="h", ttl=60)
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    return turn


async def tree(store: Store, user: User, api_key: str | None = None) -> list[str]:
    """Ids of a turn, one delegated from it, one delegated from that."""
    await store.messages.accept(user.id, "hello", api_key=api_key)
    fence = Fence(names.grow_agent(user.id), 1)
    turns = [await claimed(store, fence)]
    for depth in range(2):
        call = {"type": "tool_use", "id": f"c{depth}", "name": "run", "input": {}}
        claim = await store.steps.claim_tool(fence, turns[-1], 1, call, "idempotent")
        agent = await store.sub_agents.spawn(user.id, "coding", actor="test")
        await store.messages.accept(
            user.id, "do it", thread_id=agent.thread_id, parent=(turns[-1].id, claim.step.id)
        )
        fence = Fence(agent.lease_key, 1)
        turns.append(await claimed(store, fence))
    return [turn.id for turn in turns]


async def allow(
    url: str, user: User, scope: str, unit: str, state: str = "approved", spent: float = 0
) -> None:
    """A decision as a person leaves it."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute(
            "insert into decision (id, user_id, thread_id, turn_id, kind, asked, state, expires_at)"
            " select %(id)s, user_id, thread_id, id, 'budget',"
            " jsonb_build_object('scope', %(scope)s::text, 'unit', %(unit)s::text,"
            " 'spent', %(spent)s::float8), %(state)s,"
            " clock_timestamp() from turn where user_id = %(user)s limit 1",
            {"id": names.new_id("dec"), "user": user.id, "scope": scope, "unit": unit}
            | {"state": state, "spent": spent},
        )


async def test_whoever_of_a_tree_asks_all_of_it_counts(store: Store, alice: User):
    root, child, grandchild = await tree(store, alice)
    limits = BudgetLimits(turn_tokens=100)
    for spender in (root, child, grandchild):
        for asker in (root, child, grandchild):
            assert await store.budgets.exceeded(alice.id, asker, limits) is None
        await spend(store, alice, spender, 30)
    await spend(store, alice, "another turn", 1000)
    await spend(store, alice, None, 1000)
    assert await store.budgets.exceeded(alice.id, root, limits) is None
    await spend(store, alice, child, 4, output_tokens=3, cache_read_tokens=2, cache_write_tokens=1)
    for asker in (root, child, grandchild):
        breach = await store.budgets.exceeded(alice.id, asker, limits)
        assert breach == Budget(f"turn:{root}", "tokens", 100, 100)


async def test_a_turn_comes_before_the_day_and_every_unit_counts(store: Store, alice: User):
    await spend(store, alice, "t", 10, micro_usd=2_500_000, model_ms=1500)
    day = f"day:{datetime.now(UTC):%Y-%m-%d}:{alice.id}"
    for limits, found in [
        (BudgetLimits(turn_tokens=10, day_tokens=10), Budget("turn:t", "tokens", 10, 10)),
        (BudgetLimits(turn_tokens=11, day_tokens=10), Budget(day, "tokens", 10, 10)),
        (BudgetLimits(turn_usd=2.5), Budget("turn:t", "usd", 2.5, 2.5)),
        (BudgetLimits(day_usd=2), Budget(day, "usd", 2, 2.5)),
        (BudgetLimits(turn_seconds=1.5), Budget("turn:t", "seconds", 1.5, 1.5)),
        (BudgetLimits(day_seconds=1), Budget(day, "seconds", 1, 1.5)),
        (BudgetLimits(11, 2.6, 1.6, 11, 2.6, 1.6), None),
        (BudgetLimits(), None),
    ]:
        assert await store.budgets.exceeded(alice.id, "t", limits) == found
    assert await store.budgets.exceeded(alice.id, None, BudgetLimits(turn_tokens=1)) is None
    assert await store.budgets.exceeded(alice.id, "t2", BudgetLimits(turn_tokens=1)) is None


async def test_yesterday_and_others_do_not_count(
    store: Store, alice: User, bob: User, database_url: str
):
    await spend(store, alice, "t", 50)
    await spend(store, bob, "t", 50)
    limits = BudgetLimits(turn_tokens=60, day_tokens=60)
    assert await store.budgets.exceeded(alice.id, "t", limits) is None
    await spend(store, alice, "u", 50)
    assert (await store.budgets.exceeded(alice.id, "u", limits) or limits)[1] == "tokens"
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "update usage set at = (date_trunc('day', now() at time zone 'UTC')"
            " at time zone 'UTC') - interval '1 second' where turn_id = 't'"
        )
    assert await store.budgets.exceeded(alice.id, "u", limits) is None


async def test_what_is_allowed_is_as_much_again_from_there_on(
    store: Store, alice: User, bob: User, database_url: str
):
    root, _, grandchild = await tree(store, alice)
    limits = BudgetLimits(turn_tokens=100, turn_usd=1)
    await spend(store, alice, grandchild, 150)
    for scope, unit, state, limit in [
        (f"turn:{root}", "tokens", "denied", 100),
        (f"turn:{root}", "tokens", "open", 100),
        (f"turn:{root}", "usd", "approved", 100),
        (f"turn:{grandchild}", "tokens", "approved", 100),
        (f"turn:{root}", "tokens", "approved", None),
    ]:
        await allow(database_url, alice, scope, unit, state, 150)
        breach = await store.budgets.exceeded(alice.id, grandchild, limits)
        assert (breach and breach.limit) == limit
    await spend(store, alice, root, 99)
    assert await store.budgets.exceeded(alice.id, root, limits) is None
    await spend(store, alice, root, 1)
    breach = await store.budgets.exceeded(alice.id, root, limits)
    assert breach == Budget(f"turn:{root}", "tokens", 250, 250)
    assert await store.budgets.exceeded(bob.id, None, limits) is None


async def test_the_day_as_its_user_sees_it(store: Store, database_url: str):
    carol = await new_user(store, "carol")
    await store.messages.accept(carol.id, "hello")
    day = f"day:{datetime.now(UTC):%Y-%m-%d}:{carol.id}"
    await spend(store, carol, "t", 5, micro_usd=250_000, model_ms=40)
    await allow(database_url, carol, day, "tokens", spent=10)
    assert await store.budgets.spent(carol.id, BudgetLimits(day_tokens=10)) == [
        Budget(day, "tokens", 20, 5),
        Budget(day, "usd", 0, 0.25),
        Budget(day, "seconds", 0, 0.04),
    ]


async def made_key(store: Store, user: User, day_tokens: int | None) -> str:
    key, sha = secrets.token_hex(4), secrets.token_bytes(32)
    made = await store.api_keys.make(
        user.id, key, sha, name="k", scopes=["write"], expires_at=None, day_tokens=day_tokens,
        by=OPERATOR,
    )  # fmt: skip
    return made.id


async def test_a_key_has_its_own_day_with_all_that_was_delegated(
    store: Store, alice: User, bob: User
):
    key, free = await made_key(store, alice, 100), await made_key(store, alice, None)
    turns = await tree(store, alice, key)
    other = await store.messages.accept(alice.id, "and this", api_key=key)
    plain = await store.messages.accept(alice.id, "by hand")
    unlimited = await store.messages.accept(alice.id, "freely", api_key=free)
    for turn in (turns[2], other.turn_id):
        await spend(store, alice, turn, 48)
    for turn in (plain.turn_id, unlimited.turn_id, None):
        await spend(store, alice, turn, 500)
    assert await store.budgets.exceeded(alice.id, turns[1], BudgetLimits()) is None
    await spend(store, alice, turns[1], 1, output_tokens=1, cache_read_tokens=1, micro_usd=9)
    await spend(store, alice, turns[0], 0, cache_write_tokens=1)
    scope = f"key:{key}:{datetime.now(UTC):%Y-%m-%d}"
    spent = Budget(scope, "tokens", 100, 100)
    for turn in (*turns, other.turn_id):
        assert await store.budgets.exceeded(alice.id, turn, BudgetLimits()) == spent
        # A person's own limits come first.
        first = await store.budgets.exceeded(alice.id, turn, BudgetLimits(day_tokens=10))
        assert first is not None
        assert first.scope.startswith("day:")
    for turn in (plain.turn_id, unlimited.turn_id):
        assert await store.budgets.exceeded(alice.id, turn, BudgetLimits()) is None
    assert "this API key has used 100 of 100 tokens" in str(spent)
    assert await store.budgets.exceeded(bob.id, turns[0], BudgetLimits()) is None
    of_the_day = await store.budgets.spent(alice.id, BudgetLimits())
    assert {budget.scope.partition(":")[0] for budget in of_the_day} == {"day"}


async def test_what_is_allowed_to_a_key_is_as_much_again_and_for_its_day_alone(
    store: Store, alice: User, database_url: str
):
    key = await made_key(store, alice, 100)
    turn = (await store.messages.accept(alice.id, "hello", api_key=key)).turn_id
    await spend(store, alice, turn, 150)
    today = datetime.now(UTC)
    for day, state, limit in [
        (today, "denied", 100), (today - timedelta(days=1), "approved", 100),
        (today, "approved", None),
    ]:  # fmt: skip
        await allow(database_url, alice, f"key:{key}:{day:%Y-%m-%d}", "tokens", state, 150)
        breach = await store.budgets.exceeded(alice.id, turn, BudgetLimits())
        assert (breach and breach.limit) == limit
    await spend(store, alice, turn, 100)
    breach = await store.budgets.exceeded(alice.id, turn, BudgetLimits())
    assert breach is not None
    assert (breach.limit, breach.spent) == (250, 250)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("update usage set at = at - interval '1 day'")
    assert await store.budgets.exceeded(alice.id, turn, BudgetLimits()) is None


def test_limits_come_from_the_settings() -> None:
    settings = Settings(data="/nowhere", budget_turn_usd=2, budget_day_seconds=7)
    assert BudgetLimits.of(settings) == BudgetLimits(2_000_000, 2, 0, 20_000_000, 0, 7)


async def test_a_session_nobody_knows_spends_what_is_under_way(
    store: Store, alice: User, bob: User
) -> None:
    assert await store.steps.by_session(alice.id, "ses_x") is None
    turns = await tree(store, alice)
    working = await store.turns.get(alice.id, turns[-1])
    fence = Fence(working.lease_key, 1)
    ids = {"session_id": "ses_1", "message_id": "msg_1", "part_id": "prt_1", "directory": "/w"}
    step = await store.steps.begin_prompt(fence, working, 1, ids)
    for session in ("ses_1", "ses_x", None):
        assert await store.steps.by_session(alice.id, session) == (working.id, step.id)
    assert await store.steps.by_session(bob.id, "ses_1") is None
    await store.turns.give_up(working.id, {"code": "x", "message": "x"})
    assert await store.steps.by_session(alice.id, "ses_1") == (working.id, step.id)
    assert await store.steps.by_session(alice.id, "ses_x") is None


async def test_a_day_ends_at_the_hard_cap_whatever_was_allowed(
    store: Store, alice: User, bob: User, database_url: str
):
    root, _, _ = await tree(store, alice)
    day = f"day:{datetime.now(UTC):%Y-%m-%d}:{alice.id}"
    limits = BudgetLimits(day_tokens=100, hard_day_tokens=150, hard_day_usd=2)
    await spend(store, alice, root, 100)
    soft = await store.budgets.exceeded(alice.id, root, limits)
    assert soft == Budget(day, "tokens", 100, 100)
    await allow(database_url, alice, day, "tokens", spent=100)
    assert await store.budgets.exceeded(alice.id, root, limits) is None
    await spend(store, alice, root, 50, micro_usd=2_000_000)
    hard = await store.budgets.exceeded(alice.id, root, limits)
    assert hard == Budget(day, "tokens", 150, 150, hard=True)
    assert "an admin must allow more" in str(hard)
    await allow(database_url, alice, day, "tokens", spent=150)
    assert await store.budgets.exceeded(alice.id, root, limits) == hard
    only_usd = BudgetLimits(hard_day_usd=2)
    dear = await store.budgets.exceeded(alice.id, None, only_usd)
    assert dear == Budget(day, "usd", 2, 2, hard=True)
    # An admin gives this user another one, or none, or takes it back.
    for caps, found in [
        ({"day_tokens": 151, "day_usd": 0}, None),
        ({"day_tokens": 150}, hard),
        ({"day_tokens": 0}, None),
        ({"day_tokens": None}, hard),
    ]:
        changed = await store.users.change(alice.id, OPERATOR, caps=caps)
        assert [getattr(changed, name) for name in caps] == list(caps.values())
        assert await store.budgets.exceeded(alice.id, root, limits) == found
    await store.users.change(bob.id, OPERATOR, caps={"day_tokens": 1})
    await spend(store, bob, None, 1)
    his = await store.budgets.exceeded(bob.id, None, BudgetLimits())
    assert (his and his.hard, his and his.limit) == (True, 1)
