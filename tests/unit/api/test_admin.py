"""Admins: who is a user and as what, who may come in, and what the log has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from growqr.api.joining import join
from growqr.config import Settings
from growqr.errors import Forbidden
from growqr.identity import Identity, read_ticket
from growqr.names import foreign_user_id
from growqr.store import OPERATOR, Store, User
from tests.rows import rows
from tests.unit.api.conftest import until
from tests.unit.api.doors import bearer, coming, door, refusal, signed_in

pytestmark = pytest.mark.anyio

ISSUER = "https://issuer.example"


def person(subject: str, email: str | None = None, issuer: str = ISSUER) -> Identity:
    user_id = foreign_user_id(issuer, subject)
    return Identity(user_id, issuer, subject, subject, "session", 2.0**40, email)


@pytest.fixture
async def member(
    app: FastAPI, settings: Settings, alice: User, bob: User
) -> AsyncIterator[httpx.AsyncClient]:
    """Bob, who came second."""
    async with coming(app, authorization=bearer(settings, bob)) as made:
        yield made


async def test_members_are_let_into_nothing_here(
    member: httpx.AsyncClient, app: FastAPI, bob: User, store: Store
) -> None:
    for path, operations in app.openapi()["paths"].items():
        if "/admin/" in path:
            for method in operations:
                place = path.removeprefix("/api/v1").format(member_id=bob.id, invite_id="x")
                answer = await member.request(method, place, json={"role": "admin"})
                refusal(answer, 403, "admin_only")
    assert [one.role for one in await store.users.list(limit=9) if one.id == bob.id] == ["member"]


async def test_roles_change_and_hold_at_once(
    client: httpx.AsyncClient, member: httpx.AsyncClient, alice: User, bob: User
) -> None:
    listed = (await client.get("/admin/users")).json()["data"]
    assert {one["id"]: one["role"] for one in listed} == {alice.id: "admin", bob.id: "member"}
    refusal(await client.patch(f"/admin/users/{alice.id}", json={"role": "member"}), 409)
    changed = await client.patch(f"/admin/users/{bob.id}", json={"role": "admin"})
    assert changed.json()["role"] == "admin"
    assert (await member.get("/admin/users")).status_code == 200
    assert (await member.patch(f"/admin/users/{alice.id}", json={"role": "member"})).is_success
    refusal(await client.get("/admin/users"), 403, "admin_only")
    for body, status in [({}, 422), ({"role": "owner"}, 422), ({"role": "admin", "x": 1}, 422)]:
        assert (await member.patch(f"/admin/users/{bob.id}", json=body)).status_code == status
    refusal(await member.patch("/admin/users/u_nobody", json={"role": "admin"}), 404)


async def test_whoever_is_suspended_is_shut_out_by_every_way(
    app: FastAPI, store: Store, client: httpx.AsyncClient, member: httpx.AsyncClient, bob: User
) -> None:
    made = await member.post("/api-keys", json={"name": "k", "scopes": ["read"]})
    async with (
        signed_in(app, store, bob) as browser,
        coming(app, authorization=f"Bearer {made.json()['key']}") as program,
    ):
        for who in (member, browser, program):
            assert (await who.get("/threads")).status_code == 200
        answer = await client.patch(f"/admin/users/{bob.id}", json={"suspended": True})
        assert answer.json()["suspended_at"] is not None
        for who in (member, program):
            refusal(await who.get("/threads"), 403, "suspended")
        refusal(await browser.get("/threads"), 401)
        await client.patch(f"/admin/users/{bob.id}", json={"suspended": False})
        for who in (member, program):
            assert (await who.get("/threads")).status_code == 200
        refusal(await browser.get("/threads"), 401)  # signed out stays signed out


async def test_an_invite_is_shown_once_and_can_be_withdrawn(
    client: httpx.AsyncClient, database_url: str, store: Store
) -> None:
    head, body = {"Idempotency-Key": "once"}, {"email": "Ann@A.example", "role": "admin"}
    made = await client.post("/admin/invites", json=body, headers=head)
    assert made.status_code == 201
    shown = made.json()
    url = shown.pop("url")
    ticket = url.partition("#invite=")[2]
    assert read_ticket(ticket)
    assert (shown["email"], shown["role"]) == ("ann@a.example", "admin")
    assert "shown once" in refusal(
        await client.post("/admin/invites", json=body, headers=head), 409
    )["detail"]  # fmt: skip
    assert (await client.get("/admin/invites")).json()["data"] == [shown]
    for table in ("invite", "idempotency", "audit"):
        assert ticket not in str(await rows(database_url, f"select t::text from {table} t"))
    for status in (204, 404):
        answer = await client.delete(f"/admin/invites/{shown['id']}")
        assert answer.status_code == status
    refusal(await client.delete("/admin/invites/x"), 404)
    assert await store.invites.open(read_ticket(ticket), "ann@a.example") is None
    for wrong in ({"email": "no address"}, {"email": "a@b@c"}, {"role": "owner"}):
        assert (await client.post("/admin/invites", json=wrong)).status_code == 422


async def test_the_gate_lets_in_addresses_and_whoever_was_invited(
    settings: Settings, store: Store, alice: User
) -> None:
    allowed = ["ann@a.example", "@B.example"]
    async with (
        door(settings, store, allowed_emails=allowed) as app,
        coming(app, authorization=bearer(settings, alice)) as client,
    ):
        here = app.state.context

        async def made(**body: Any) -> bytes:
            url = (await client.post("/admin/invites", json=body)).json()["url"]
            sha = read_ticket(url.partition("#invite=")[2])
            assert sha
            return sha

        for subject, email in [("1", "ANN@a.example"), ("2", "anybody@b.example")]:
            assert (await join(here, person(subject, email))).role == "member"
        for subject, email in [
            ("3", None), ("4", "bob@a.example"), ("5", "x@evil.b.example"), ("6", "b.example"),
            ("7", "ann@a.example.evil"), ("8", ""),
        ]:  # fmt: skip
            with pytest.raises(Forbidden, match="not been invited"):
                await join(here, person(subject, email))
            assert await store.users.get(person(subject).user_id) is None
        link = await made(role="admin")
        assert (await join(here, person("9", "z@z.example"), link)).role == "admin"
        with pytest.raises(Forbidden):
            await join(here, person("10", "z@z.example"), link)
        await made(email="eve@z.example")
        with pytest.raises(Forbidden):
            await join(here, person("11", "other@z.example"))
        invited = await join(here, person("12", "Eve@z.example"))
        assert (invited.email, invited.role) == ("eve@z.example", "member")
        # Whoever is in stays in, and the machine's own users need no address.
        assert await join(here, person("12", None)) == invited
        assert (await join(here, person("13", None, "growqr:abc"))).role == "member"


async def test_an_open_gate_lets_everybody_in(settings: Settings, store: Store) -> None:
    for number, allowed in enumerate(([], ["*"], ["a@a.example", "*"])):
        async with door(settings, store, allowed_emails=allowed) as app:
            came = await join(app.state.context, person(str(number)))
            assert came.role == ("member" if number else "admin")


async def test_the_log_is_read_in_pages_and_by_whom_and_what(
    client: httpx.AsyncClient, member: httpx.AsyncClient, store: Store, alice: User, bob: User
) -> None:
    for role in ("admin", "member", "admin", "member"):
        await client.patch(f"/admin/users/{bob.id}", json={"role": role})
    refusal(await member.get("/admin/audit"), 403, "admin_only")

    async def noted() -> bool:
        return len(await store.audit.list(limit=9)) == 7  # two of them came, before all that

    await until(noted)
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/admin/audit", params={"limit": 2} | cursor)).json()
        pages.append(page["data"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    entries = [entry for page in pages for entry in page]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert [entry["id"] for entry in entries] == sorted(
        (entry["id"] for entry in entries), reverse=True
    )
    refused, last = entries[0], entries[1]
    assert (refused["outcome"], refused["actor"], refused["rule"]) == (
        "refused", bob.id, "admin_only",
    )  # fmt: skip
    assert (refused["action"], refused["subject"]) == ("admin.read", "/api/v1/admin/audit")
    assert (last["action"], last["actor"], last["subject"]) == ("user.changed", alice.id, bob.id)
    assert (last["rule"], last["facts"]["role"]) == ("admin", "member")
    by_bob = (await client.get("/admin/audit", params={"who": bob.id})).json()["data"]
    assert len(by_bob) == 6
    changes = await client.get("/admin/audit", params={"who": alice.id, "action": "user.changed"})
    assert len(changes.json()["data"]) == 4
    refusal(await client.get("/admin/audit", params={"cursor": "x"}), 422)


async def test_an_invite_says_as_what_one_comes_where_the_gate_is_open_too(
    settings: Settings, store: Store, alice: User
) -> None:
    for email in ("ann@a.example", "dan@a.example"):
        await store.invites.make(alice.id, email.encode(), email=email, role="admin", by=OPERATOR)
    async with door(settings, store) as app:
        here = app.state.context
        assert (await join(here, person("1", "Ann@a.example"))).role == "admin"
        assert (await join(here, person("2", "bob@a.example"))).role == "member"
        assert (await join(here, person("3", None), b"dan@a.example")).role == "member"
        assert (await join(here, person("4", None))).role == "member"
    used = [one.used_by for one in await store.invites.list(limit=9)]
    assert used == [person("1").user_id, None]
    [made] = await store.audit.list(limit=9, who=person("1").user_id, what="user.made")
    assert made.rule == "invite"
