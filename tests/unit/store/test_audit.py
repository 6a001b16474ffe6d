"""The audit log: nobody changes it, and no change it speaks of is made without it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from growqr.store import OPERATOR, Act, Browser, Store, User
from growqr.store import audit as log
from tests.rows import rows

pytestmark = pytest.mark.anyio

ANN = Act("u_ann", "admin", "sign_in:sgn_1", "192.0.2.1", "req_1")


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'somebody else'",
        "update audit set facts = '{}' where id = 0",
        "delete from audit",
        "truncate audit",
    ],
)
async def test_the_database_lets_nobody_change_it(
    store: Store, database_url: str, statement: str
) -> None:
    await store.audit.note(ANN, "thing.done", "u_bob", why="because")
    before = await store.audit.list(limit=9)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        await rows(database_url, statement)
    assert await store.audit.list(limit=9) == before


async def test_an_entry_says_who_what_to_whom_by_which_rule_and_from_where(store: Store) -> None:
    await store.audit.note(ANN, "thing.done", "u_bob", why="because")
    [entry] = await store.audit.list(limit=9)
    assert entry._replace(id=0, at=None) == log.Entry(
        0, None, "u_ann", "sign_in:sgn_1", "thing.done", "u_bob", "done", "admin", "192.0.2.1",
        "req_1", {"why": "because"},
    )  # fmt: skip


async def test_it_is_read_newest_first_by_pages_person_and_action(store: Store) -> None:
    for number, (by, action, subject) in enumerate(
        [(ANN, "key.made", "k1"), (OPERATOR, "user.changed", "u_ann"), (ANN, "key.revoked", "k1"),
         (OPERATOR, "key%.odd", "k2")]
    ):  # fmt: skip
        await store.audit.note(by, action, subject, number=number)

    async def numbers(**asked: str | int | None) -> list[int]:
        return [one.facts["number"] for one in await store.audit.list(**({"limit": 9} | asked))]

    assert await numbers() == [3, 2, 1, 0]
    assert await numbers(who="u_ann") == [2, 1, 0]
    assert await numbers(who="k1", what="key.") == [2, 0]
    assert await numbers(what="key") == [3, 2, 0]
    assert await numbers(what="key%") == [3]
    page = await store.audit.list(limit=2)
    assert [one.facts["number"] for one in page] == [3, 2]
    assert await numbers(before=page[-1].id) == [1, 0]


Change = Callable[[Store, User, str], Awaitable[object]]
CHANGES: dict[str, Change] = {
    "user.changed": lambda store, bob, _: store.users.change(bob.id, ANN, role="admin"),
    "api_key.made": lambda store, bob, _: store.api_keys.make(
        bob.id, "k2", b"s", name="k", scopes=[], expires_at=None, day_tokens=None, by=ANN
    ),
    "api_key.revoked": lambda store, bob, _: store.api_keys.revoke(bob.id, "k1", ANN),
    "invite.made": lambda store, bob, _: store.invites.make(
        bob.id, b"new", email=None, role="member", by=ANN
    ),
    "invite.withdrawn": lambda store, _, invite: store.invites.withdraw(invite, ANN),
    "sign_in.begun": lambda store, bob, _: store.sign_ins.exchange(
        b"link", Browser(secrets.token_bytes(32), "", 60), ANN
    ),
    "user.made": lambda store, _, invite: store.users.ensure(
        "u_new", issuer="i", subject="new", name="n", invite=invite, by=ANN
    ),
    "sign_in_link.made": lambda store, bob, _: store.sign_ins.make_link(bob.id, b"2", 60, ANN),
    "provider.linked": lambda store, bob, _: account(store, bob, "8", ANN),
    "provider.unlinked": lambda store, bob, _: store.oauth.remove(bob.id, "github", ANN),
    "sign_in.ended": lambda store, bob, _: store.sign_ins.end_all(bob.id, ANN),
}


async def account(store: Store, user: User, subject: str, by: Act) -> object:
    return await store.oauth.keep(
        user.id, "github", subject=subject, login="l", scopes="", tokens="t", expires_at=None,
        by=by, linking=True,
    )  # fmt: skip


async def scene(store: Store, user: User) -> str:
    """A key, an invite, a link, a sign-in and an account of the user; the invite's id."""
    await store.api_keys.make(
        user.id, "k1", b"s", name="k", scopes=[], expires_at=None, day_tokens=None, by=OPERATOR
    )
    invite = await store.invites.make(user.id, b"i", email=None, role="member", by=OPERATOR)
    await store.sign_ins.make_link(user.id, b"link", 60)
    kept = Browser(secrets.token_bytes(32), "", 60)
    await store.sign_ins.begin(user.id, "token", kept, OPERATOR)
    await account(store, user, "7", OPERATOR)
    return invite.id


async def state(database_url: str) -> list[object]:
    found: list[object] = []
    for table in ("users", "api_key", "invite", "sign_in_link", "sign_in", "oauth_account"):
        found += [table, sorted(await rows(database_url, f"select t::text from {table} t"))]
    return found


@pytest.mark.parametrize("action", CHANGES)
async def test_a_change_and_its_note_are_one_transaction(
    store: Store, database_url: str, alice: User, bob: User, action: str
) -> None:
    invite = await scene(store, bob)
    before, change = await state(database_url), CHANGES[action]
    # A log that takes nothing: then nothing may change either.
    await rows(database_url, "alter table audit add constraint full_up check (actor <> 'u_ann')")
    with pytest.raises(psycopg.errors.CheckViolation):
        await change(store, bob, invite)
    assert await state(database_url) == before
    await rows(database_url, "alter table audit drop constraint full_up")
    await change(store, bob, invite)
    assert await state(database_url) != before
    [noted] = await store.audit.list(limit=9, who="u_ann")
    assert (noted.action, noted.outcome, noted.rule) == (action, "done", "admin")
    assert (noted.via, noted.address, noted.request_id) == ANN[2:]


async def test_what_was_refused_is_written_soon_in_the_background(
    store: Store, database_url: str
) -> None:
    async with Store(database_url, 2) as other:
        for number in range(30):
            other.audit.refused(ANN._replace(rule="scope"), f"memory.{number}", str(number))
    written = await store.audit.list(limit=99)
    assert sorted(int(one.subject) for one in written) == list(range(30))
    assert {(one.outcome, one.rule, one.actor) for one in written} == {
        ("refused", "scope", "u_ann")
    }


async def test_beyond_so_many_the_oldest_are_lost_and_how_many_is_noted(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Store(database_url, 2) as other:
        for number in range(log.KEPT + 7):
            other.audit.refused(ANN, f"memory.write.{number}", str(number))
    [lost] = await store.audit.list(limit=9, what="audit.lost")
    assert (lost.actor, lost.rule, lost.subject) == ("growqr", "overload", "7")
    kept = await store.audit.list(limit=log.KEPT + 9, what="memory.write")
    assert sorted(int(one.subject) for one in kept) == list(range(7, log.KEPT + 7))


async def test_whoever_comes_is_told_with_their_role_and_invite(store: Store, alice: User) -> None:
    """Alice was first, and so is the admin."""
    invite = await store.invites.make(alice.id, b"i", email=None, role="admin", by=OPERATOR)
    given = {"issuer": "i", "name": "n"}
    for name, by in (("u_ann", invite.id), ("u_dan", None), ("u_dan", None)):
        await store.users.ensure(name, subject=name, invite=by, **given)
    dan, ann, first = await store.audit.list(limit=9, what="user.made")
    told = [(one.actor, one.subject, one.facts["role"], one.facts["invite"]) for one in (ann, dan)]
    assert told == [("u_ann", "u_ann", "admin", invite.id), ("u_dan", "u_dan", "member", None)]
    assert (first.subject, first.facts["role"]) == (alice.id, "admin")


async def test_equal_refusals_are_one_line_at_once_and_one_in_a_window(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "WINDOW", 1.0)
    scope, gate = (ANN._replace(rule=rule) for rule in ("scope", "gate"))

    async def told() -> list[tuple[str, str, int]]:
        lines = reversed(await store.audit.list(limit=99, what="memory."))
        return [(one.rule, one.subject, one.facts.get("count", 1)) for one in lines]

    async with Store(database_url, 2) as other:
        other.audit.refused(scope, "memory.write", "first")
        await asyncio.sleep(0.4)
        assert await told() == [("scope", "first", 1)]
        for number in range(500):
            other.audit.refused(scope, "memory.write", str(number))
        other.audit.refused(gate, "memory.write", "of another rule")
        await asyncio.sleep(0.3)
        assert await told() == [("scope", "first", 1), ("gate", "of another rule", 1)]
        await asyncio.sleep(1.2)
        assert (await told())[2:] == [("scope", "499", 500)]
        other.audit.refused(scope, "memory.write", "at the end")
    assert (await told())[3:] == [("scope", "at the end", 1)]


async def test_what_was_refused_goes_after_its_days_and_what_was_done_never(
    store: Store, database_url: str
) -> None:
    columns = "insert into audit (at, actor, action, outcome, rule) values"
    for days in (8, 100):
        for outcome in ("done", "refused"):
            await rows(
                database_url,
                f"{columns} (clock_timestamp() - make_interval(days => %s), 'a', %s, %s, 'r')",
                days, f"{days} {outcome}", outcome,
            )  # fmt: skip
    store.audit.refused(ANN, "fresh")

    async def left() -> list[str]:
        return [entry.action for entry in await store.audit.list(limit=9)]

    await asyncio.sleep(0.4)
    await store.retention.trim(days=30, events=100)
    assert sorted(await left()) == ["100 done", "8 done", "8 refused", "fresh"]
    await store.retention.trim(days=30, events=100, refused=7)
    assert sorted(await left()) == ["100 done", "8 done", "fresh"]
    for statement in ("fresh", "100 done"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            await rows(database_url, "delete from audit where action = %s", statement)
