"""What has ended has ended, what happens once happens once, and the log of it stays. No numbers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx
import psycopg
import pytest

from growqr.config import Settings
from growqr.identity import new_ticket, stack_token
from growqr.store import OPERATOR, Store, User, audit
from tests.attack.house import SECRET, House, house, problem
from tests.attack.knocking import fresh_link, name_of, stream
from tests.attack.things import dump
from tests.fakes.clerk import FakeClerk
from tests.unit.api.conftest import until

pytestmark = pytest.mark.anyio


async def test_whoever_is_suspended_has_no_door(
    settings: Settings, store: Store, alice: User, bob: User
) -> None:
    async with house(settings, store, replicas=2) as ours:
        her, his = await ours.person(alice), await ours.person(bob, 1)
        assert (await his.post("/git/repos", json={"name": "shop"})).status_code == 201
        assert (await his.post("/opencode/provision")).status_code == 202
        key = await ours.program(await ours.key(his, "write"), 1)
        browser, link = await ours.browser(bob, 1), await fresh_link(store, bob)
        service = await store.services.get(bob.id, "opencode")
        assert service is not None
        inside = await ours.stranger(
            Authorization=f"Bearer {stack_token(SECRET, bob.id, 'opencode', service.generation)}"
        )
        refs = "/git/me/shop.git/info/refs?service=git-receive-pack"
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        for way in (his, key, inside):
            assert (await way.get(refs)).status_code == 200
        assert (await inside.post(f"{ours.urls[0]}/mcp", json=call)).status_code == 200
        async with stream(his) as one, stream(key) as two, stream(browser) as three:
            answer = await her.patch(f"/admin/users/{bob.id}", json={"suspended": True})
            assert answer.status_code == 200
            for ended in (one, two, three):
                await ended()
        for way in (his, key):
            for path in ("/users/me", "/threads", "/actors/me/events", refs):
                assert problem(await way.get(path), 403)["rule"] == "suspended"
            assert problem(await way.post("/actors/me/message", json={"text": "x"}), 403)
        problem(await browser.get("/users/me"), 401)
        problem(await his.post("/auth/exchange", json={}), 401)
        door = await ours.stranger()
        problem(await door.post("/auth/exchange", json={"link": link}), 400)
        problem(await inside.get(refs), 401)
        problem(await inside.post(f"{ours.urls[0]}/mcp", json=call), 401)
        stopped = await store.services.get(bob.id, "opencode")
        assert stopped is not None
        assert stopped.desired == "stopped"
        assert (await her.get("/users/me")).status_code == 200
        await her.patch(f"/admin/users/{bob.id}", json={"suspended": False})
        assert (await his.get("/users/me")).status_code == 200


async def test_a_revoked_key_ends_its_open_streams_everywhere(
    settings: Settings, store: Store, alice: User
) -> None:
    async with house(settings, store, replicas=2) as ours:
        her = await ours.person(alice)
        gone, stays = [await ours.key(her, "read") for _ in range(2)]
        async with (
            stream(await ours.program(gone)) as one,
            stream(await ours.program(gone, 1)) as two,
            stream(await ours.program(stays, 1)) as other,
        ):
            assert (await her.delete(f"/api-keys/{gone['id']}")).status_code == 204
            for ended in (one, two):
                await ended()
            with pytest.raises(TimeoutError):
                await other(0.5)


async def test_one_link_signs_in_once(settings: Settings, store: Store, alice: User) -> None:
    async with house(settings, store, replicas=2) as ours:
        link = await fresh_link(store, alice)
        doors = [await ours.stranger(n % 2) for n in range(20)]
        answers = await asyncio.gather(
            *(door.post("/auth/exchange", json={"link": link}) for door in doors)
        )
        assert Counter(answer.status_code for answer in answers) == {204: 1, 400: 19}
        [winner] = [door for door in doors if door.cookies]
        listed = (await winner.get("/auth/sign-ins")).json()["data"]
        assert [(one["way"], one["current"]) for one in listed] == [("link", True)]
        problem(await doors[0].post("/auth/exchange", json={"link": link}), 400)
        for wrong in ("", "x", link[:-1], link + "x", "\x00", "' or 1=1 --", "x" * 201):
            answer = await doors[1].post("/auth/exchange", json={"link": wrong})
            assert answer.status_code in (400, 422)


async def test_an_instance_keeps_an_admin(
    settings: Settings, store: Store, alice: User, bob: User, database_url: str
) -> None:
    """Both admins give it up, or take it from each other, in the very same moment."""
    async with house(settings, store, replicas=2) as ours:
        her, his = await ours.person(alice), await ours.person(bob, 1)
        for change in ({"role": "member"}, {"suspended": True}):
            await store.users.change(alice.id, OPERATOR, role="admin", suspended=False)
            await store.users.change(bob.id, OPERATOR, role="member", suspended=False)
            problem(await her.patch(f"/admin/users/{alice.id}", json=change), 409)
            for mine, others in ((alice.id, bob.id), (bob.id, alice.id)):
                for user in (alice, bob):
                    await store.users.change(user.id, OPERATOR, role="admin", suspended=False)
                both = [
                    her.patch(f"/admin/users/{mine}", json=change),
                    his.patch(f"/admin/users/{others}", json=change),
                ]
                answers = await _at_once(database_url, both)
                assert sorted(answer.status_code for answer in answers) == [200, 409]
                users = await store.users.list(limit=10)
                able = [user for user in users if user.role == "admin" and not user.suspended_at]
                assert len(able) == 1, change


async def _at_once(
    database_url: str, requests: list[Coroutine[Any, Any, httpx.Response]]
) -> list[httpx.Response]:
    """Their answers, none of which is made before all of them have begun to write."""
    async with await psycopg.AsyncConnection.connect(database_url) as held:
        await held.execute("select 1 from users for update")
        asked = [asyncio.create_task(request) for request in requests]
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as look:

            async def all_wait() -> bool:
                found = await look.execute(
                    "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                )
                [(waiting,)] = await found.fetchall()
                return bool(waiting >= len(asked))

            await until(all_wait, 2.0)
        await held.rollback()
        return await asyncio.gather(*asked)


async def test_one_invite_makes_one_user(store: Store, alice: User) -> None:
    """Raced by twenty people who all hold its link."""
    _, sha = new_ticket()
    invite = await store.invites.make(alice.id, sha, email=None, role="admin", by=OPERATOR)
    names = [f"guest{n}" for n in range(20)]
    came = await asyncio.gather(
        *(store.users.ensure(f"u_{name}", issuer="other", subject=name, name=name, invite=invite.id)
          for name in names),
        return_exceptions=True,
    )  # fmt: skip
    made = [user for user in came if isinstance(user, User)]
    assert len(made) == 1
    assert made[0].role == "admin"
    users = await store.users.list(limit=50)
    assert {user.id for user in users} == {alice.id, made[0].id}
    assert await store.invites.open(sha, None) is None


async def test_one_invited_address_makes_one_user(
    settings: Settings, store: Store, alice: User
) -> None:
    """Raced by twenty accounts of an issuer that all say they are the one who was invited."""
    with FakeClerk() as fake:
        named = {"clerk_publishable_key": fake.publishable_key, "allowed_emails": ("@ours.test",)}
        async with house(settings.model_copy(update=named), store, replicas=2) as ours:
            her = await ours.person(alice)
            invited = await her.post("/admin/invites", json={"email": "ann@example.test"})
            assert invited.status_code == 201

            async def comes(who: int, email: str | None, **more: object) -> int:
                token = fake.token(f"user_{who}", email=email, **more)
                door = await ours.stranger(who % 2, Authorization=f"Bearer {token}")
                return (await door.get("/users/me")).status_code

            assert await comes(90, "ann@example.test", email_verified=False) == 403
            assert await comes(91, "ann@example.test.evil.test") == 403
            assert await comes(92, None) == 403
            assert await comes(93, "x@evil.test, ann@ours.test") == 403
            came = await asyncio.gather(*(comes(n, "Ann@example.test") for n in range(20)))
            assert came.count(200) == 1
            assert set(came) <= {200, 403, 409}
            assert await comes(94, "bob@ours.test") == 200
            assert len(await store.users.list(limit=50)) == 3


async def test_an_address_that_nobody_verified_opens_no_gate(
    settings: Settings, store: Store, alice: User
) -> None:
    """An OpenID issuer that says nothing lets its people write there what they like."""
    with FakeClerk() as fake:
        named = {"oidc_issuer": fake.url, "allowed_emails": ("@ours.test",)}
        async with house(settings.model_copy(update=named), store) as ours:
            for verified, status in (
                (None, 403), (False, 403), ("true", 403), (1, 403), (True, 200)
            ):  # fmt: skip
                token = fake.token("ann", email="ann@ours.test", email_verified=verified)
                door = await ours.stranger(Authorization=f"Bearer {token}")
                assert (await door.get("/users/me")).status_code == status, verified


async def test_secrets_that_are_shown_once_are_kept_nowhere(
    ours: House, alice: User, database_url: str
) -> None:
    her = await ours.person(alice)
    once = {"Idempotency-Key": "the same"}
    key = await her.post("/api-keys", json={"name": "x", "scopes": ["read"]}, headers=once)
    invite = await her.post("/admin/invites", json={}, headers={"Idempotency-Key": "another"})
    other = await her.post("/admin/invites", json={}, headers={"Idempotency-Key": "another"})
    thread = await her.post("/threads", json={"title": "kept"}, headers={"Idempotency-Key": "t"})
    assert {key.status_code, invite.status_code, thread.status_code} == {201}
    ticket = invite.json()["url"].partition("#invite=")[2]
    assert len(ticket) == 43
    assert other.status_code in (201, 409)
    browser = await ours.browser(alice)
    cookie = browser.cookies[name_of(browser)]
    whole = await dump(database_url)
    for secret in (key.json()["key"], key.json()["key"][12:], ticket, cookie):
        assert secret not in whole
    assert "POST /threads" in whole
    assert "the same" not in whole


async def test_the_audit_log_is_not_changed(
    ours: House, alice: User, bob: User, database_url: str
) -> None:
    her, his = await ours.person(alice), await ours.person(bob)
    await ours.key(her, "read")
    problem(await his.get("/admin/audit"), 403)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        problem(await her.request(method, "/admin/audit", json={}), 405)
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        for wrong in ("update audit set actor = 'x'", "delete from audit", "truncate audit",
                      "update audit set actor = 'x' where false"):  # fmt: skip
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                await conn.execute(wrong.encode())
    async with asyncio.timeout(5):
        while "admin.read" not in (text := (await her.get("/admin/audit")).text):
            await asyncio.sleep(0.05)
    assert "api_key.made" in text


async def test_what_one_is_refused_costs_no_line_about_others(
    ours: House, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that the database could not hold would take along those of the same moment."""
    monkeypatch.setattr(audit, "WINDOW", 0.2)
    her, his = await ours.person(alice), await ours.person(bob)
    for n in range(5):
        problem(await his.get("/admin/users", params={"n": n}), 403)
        problem(await his.get("/actors/%00"), 404)
        problem(await his.get("/actors/a%00b%ff%ed%a0%80"), 404)
        problem(await his.patch("/admin/users/%00", json={"role": "admin"}), 403)

    async def all_noted() -> bool:
        entries = (await her.get("/admin/audit", params={"who": bob.id, "limit": 200})).json()
        refused = [one["facts"] for one in entries["data"] if one["outcome"] == "refused"]
        return sum(facts.get("count", 1) for facts in refused) == 20

    await until(all_noted)


async def test_nobody_says_where_they_come_from(
    settings: Settings, store: Store, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "WINDOW", 0.1)  # equal refusals would be told in a minute
    for proxies, expected in ((0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7")):
        async with house(settings.model_copy(update={"proxies": proxies}), store) as ours:
            her, his = await ours.person(alice), await ours.person(bob)
            head = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7, 203.0.113.9", "X-Real-IP": "6.6.6.6",
                    "Forwarded": "for=6.6.6.6"}  # fmt: skip
            path = f"/admin/users?{proxies}"
            problem(await his.get(path, headers=head), 403)

            async def noted(her: httpx.AsyncClient = her, expected: str = expected) -> bool:
                page = (await her.get("/admin/audit", params={"who": bob.id})).json()
                return bool(page["data"]) and page["data"][0]["address"] == expected

            await until(noted)
