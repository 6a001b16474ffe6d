"""A browser signs in once, stays known by a cookie no script sees, and is signed out everywhere."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi import FastAPI
from httpx_sse import aconnect_sse

from growqr.config import Settings
from growqr.store import OPERATOR, Store, User
from tests.fakes.clerk import FakeClerk
from tests.fakes.serving import serving
from tests.rows import rows
from tests.unit.api.doors import ORIGIN, bearer, coming, door, link_of, refusal, signed_in

pytestmark = pytest.mark.anyio

COOKIE = "growqr_session"


def morsel(answer: httpx.Response) -> dict[str, str]:
    """The one cookie that an answer sets: its name, value and attributes."""
    [header] = answer.headers.get_list("set-cookie")
    [(name, found)] = SimpleCookie(header).items()
    return {"name": name, "value": found.value} | {key: str(found[key]) for key in found}


async def test_a_link_becomes_a_cookie_that_no_script_sees(
    app: FastAPI, store: Store, alice: User
) -> None:
    async with coming(app) as browser:
        answer = await browser.post("/auth/exchange", json={"link": await link_of(store, alice)})
        assert (answer.status_code, answer.content) == (204, b"")
        cookie = morsel(answer)
        assert (cookie["name"], cookie["path"], cookie["domain"]) == (COOKIE, "/", "")
        assert (cookie["httponly"], cookie["samesite"]) == ("True", "lax")
        assert (cookie["secure"], cookie["max-age"]) == ("", str(7 * 86400))
        me = await browser.get("/auth/me")
    assert me.json()["user"]["id"] == alice.id


async def test_by_https_the_cookie_is_bound_to_its_host(
    settings: Settings, store: Store, alice: User
) -> None:
    public = "https://agents.example"
    async with door(settings, store, public_url=public) as app:
        async with coming(app, base=public, origin=public) as browser:
            link = await link_of(store, alice)
            answer = await browser.post("/auth/exchange", json={"link": link})
            cookie = morsel(answer)
            assert cookie["name"] == f"__Host-{COOKIE}"
            assert (cookie["secure"], cookie["domain"], cookie["path"]) == ("True", "", "/")
            assert (await browser.get("/auth/me")).status_code == 200
        # The plain name is nothing here.
        async with coming(app, base=public, cookie=f"{COOKIE}={cookie['value']}") as other:
            refusal(await other.get("/auth/me"), 401)


async def test_a_link_is_good_once_and_for_ten_minutes(
    app: FastAPI, store: Store, database_url: str, alice: User
) -> None:
    used, late = await link_of(store, alice), await link_of(store, alice)
    async with coming(app) as browser:
        assert (await browser.post("/auth/exchange", json={"link": used})).status_code == 204
        await rows(
            database_url, "update sign_in_link set expires_at = expires_at - interval '600 s'"
        )
        for link in (used, late, "", "x", "é" * 43, used[:-1]):
            answer = await browser.post("/auth/exchange", json={"link": link})
            assert refusal(answer, 400)["code"] == "link_used"
            assert "set-cookie" not in answer.headers
    assert len(await store.sign_ins.list(alice.id)) == 1


async def test_a_bearer_token_becomes_a_cookie_and_nothing_else_does(
    app: FastAPI, settings: Settings, store: Store, alice: User, bob: User
) -> None:
    async with coming(app, authorization=bearer(settings, alice)) as program:
        answer = await program.post("/auth/exchange", json={})
        assert morsel(answer)["name"] == COOKIE
        made = await program.post("/api-keys", json={"name": "k", "scopes": ["write"]})
    cookie = f"{COOKIE}={morsel(answer)['value']}"
    async with coming(app, cookie=cookie) as browser:
        assert (await browser.get("/auth/me")).json()["user"]["id"] == alice.id
    await store.users.change(bob.id, OPERATOR, suspended=True)
    for head in [
        {},
        {"cookie": cookie, "origin": ORIGIN},
        {"authorization": f"Bearer {made.json()['key']}"},
        {"authorization": "Bearer x.y.z"},
        {"authorization": bearer(settings, bob)},
    ]:
        async with coming(app, **head) as other:
            refusal(await other.post("/auth/exchange", json={}), 401)
    [sign_in] = await store.sign_ins.list(alice.id)
    assert sign_in.way == "token"


async def test_an_invite_lets_whoever_brings_a_token_join(
    settings: Settings, store: Store, alice: User
) -> None:
    with FakeClerk() as clerk:
        key, allowed = clerk.publishable_key, ["ann@a.example"]
        async with (
            door(settings, store, clerk_publishable_key=key, allowed_emails=allowed) as app,
            coming(app, authorization=bearer(settings, alice)) as admin,
        ):
            made = await admin.post("/admin/invites", json={"role": "admin"})
            invite = made.json()["url"].partition("#invite=")[2]
            for subject, brought, status in [
                ("user_2Eve", {}, 403),
                ("user_2Eve", {"invite": "x"}, 403),
                ("user_2Eve", {"invite": invite}, 204),
                ("user_2Eve", {"invite": invite}, 204),
                ("user_2Mallory", {"invite": invite}, 403),
            ]:
                token = f"Bearer {clerk.token(subject)}"
                async with coming(app, authorization=token) as browser:
                    answer = await browser.post("/auth/exchange", json=brought)
                    assert answer.status_code == status, (subject, answer.text)
                    if status == 403:
                        refusal(answer, 403, "gate")
                        assert "set-cookie" not in answer.headers
            users = await store.users.list(limit=9)
    joined = [(one.subject, one.role) for one in users if one.id != alice.id]
    assert joined == [("user_2Eve", "admin")]


async def test_a_browser_reads_and_writes_and_hears_its_stream(
    app: FastAPI, store: Store, alice: User
) -> None:
    async with signed_in(app, store, alice) as browser:
        assert (await browser.post("/threads", json={"title": "t"})).status_code == 201
        assert (await browser.get("/threads")).json()["data"][-1]["title"] == "t"
        assert (await browser.delete("/memory/a.md")).status_code == 404
        cookie = browser.cookies[COOKIE]
    await store.messages.accept(alice.id, "hello")
    async with serving(app) as url, httpx.AsyncClient(cookies={COOKIE: cookie}) as client:
        async with (
            asyncio.timeout(10),
            aconnect_sse(client, "GET", f"{url}/api/v1/actors/me/events") as source,
        ):
            assert (await anext(source.aiter_sse())).event == "thread.created"
        app.state.context.hub.close()


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", ORIGIN, 201),
        ("POST", ORIGIN.upper(), 403),
        ("POST", None, 403),
        ("POST", "null", 403),
        ("POST", "", 403),
        ("POST", "https://evil.example", 403),
        ("POST", f"{ORIGIN}.evil.example", 403),
        ("POST", f"{ORIGIN}:8080", 403),
        ("POST", "https://pages.example", 201),
        ("GET", None, 200),
        ("GET", ORIGIN, 200),
        ("GET", "https://evil.example", 403),
        ("GET", "null", 403),
    ],
)
async def test_only_pages_of_ours_speak_for_a_browser(
    settings: Settings, store: Store, alice: User, method: str, origin: str | None, status: int
) -> None:
    async with door(settings, store, frontend_url="https://pages.example/app") as app:
        head = {} if origin is None else {"origin": origin}
        body = {"json": {"title": "t"}} if method == "POST" else {}
        async with signed_in(app, store, alice) as browser:
            del browser.headers["origin"]
            answer = await browser.request(method, "/threads", headers=head, **body)
        if status == 403:
            refusal(answer, 403, "origin")
        assert answer.status_code == status
        # Whoever brings a token is no browser that is led on.
        async with coming(app, authorization=bearer(settings, alice), **head) as program:
            assert (await program.request(method, "/threads", **body)).status_code < 300


async def test_with_a_public_address_the_host_that_was_asked_is_no_page_of_ours(
    settings: Settings, store: Store, alice: User
) -> None:
    async with door(settings, store, public_url="http://agents.example") as app:
        browser = coming(app, origin="http://agents.example")
        link = {"link": await link_of(store, alice)}
        async with browser:
            assert (await browser.post("/auth/exchange", json=link)).status_code == 204
            assert (await browser.post("/threads", json={"title": "t"})).status_code == 201
            browser.headers["origin"] = ORIGIN
            refusal(await browser.post("/threads", json={"title": "t"}), 403, "origin")


async def test_signing_out_ends_the_browser_on_every_replica_and_its_streams(
    app: FastAPI, settings: Settings, store: Store, database_url: str, alice: User
) -> None:
    async with (
        Store(database_url, 4) as far,
        door(settings, far) as second,
        serving(second) as url,
        signed_in(app, store, alice) as browser,
        signed_in(app, store, alice) as other,
        httpx.AsyncClient(cookies={COOKIE: browser.cookies[COOKIE]}) as client,
    ):
        events = client.stream("GET", f"{url}/api/v1/actors/me/events")
        async with asyncio.timeout(20), events as stream:
            assert stream.status_code == 200
            chunks = stream.aiter_raw()
            await anext(chunks)
            out = await browser.post("/auth/logout")
            began = asyncio.get_running_loop().time()
            assert (out.status_code, morsel(out)["max-age"]) == (204, "0")
            assert (await client.get(f"{url}/api/v1/auth/me")).status_code == 401
            async for _ in chunks:
                pass
            assert asyncio.get_running_loop().time() - began < 2
        refusal(await browser.get("/auth/me"), 401)
        assert (await other.get("/auth/me")).status_code == 200
        second.state.context.hub.close()


async def test_one_sees_and_ends_the_browsers_one_is_signed_in_with(
    app: FastAPI, settings: Settings, store: Store, alice: User, bob: User
) -> None:
    async with (
        signed_in(app, store, alice, user_agent="this one") as here,
        signed_in(app, store, alice, user_agent="that one") as there,
        signed_in(app, store, bob) as theirs,
    ):
        listed = (await here.get("/auth/sign-ins")).json()["data"]
        assert [(one["agent"], one["current"]) for one in listed] == [
            ("this one", True), ("that one", False),
        ]  # fmt: skip
        assert {one["address"] for one in listed} == {"192.0.2.1"}
        assert all(set(one) & {"sha", "ticket", "cookie", "user_id"} == set() for one in listed)
        [of_bob] = (await theirs.get("/auth/sign-ins")).json()["data"]
        for unknown in (of_bob["id"], "sgn_" + "0" * 32, "x"):
            refusal(await here.delete(f"/auth/sign-ins/{unknown}"), 404)
        assert (await here.delete(f"/auth/sign-ins/{listed[1]['id']}")).status_code == 204
        refusal(await there.get("/auth/me"), 401)
        assert (await here.get("/auth/me")).status_code == 200
        assert (await theirs.get("/auth/me")).status_code == 200
    ended = await store.audit.list(limit=9, what="sign_in.ended")
    assert [(one.actor, one.subject) for one in ended] == [(alice.id, listed[1]["id"])]


async def test_a_public_address_with_the_usual_port_is_the_origin_that_browsers_name(
    settings: Settings, store: Store, alice: User
) -> None:
    public, named = "https://Agents.example:443/", "https://agents.example"
    async with door(settings, store, public_url=public, frontend_url="http://f.test:80") as app:
        for origin, status in ((named, 204), ("http://f.test", 204), (f"{named}:444", 403)):
            async with coming(app, base=named, origin=origin) as browser:
                link = await link_of(store, alice)
                answer = await browser.post("/auth/exchange", json={"link": link})
                assert answer.status_code == status, answer.text
