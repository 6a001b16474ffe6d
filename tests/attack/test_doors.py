"""Ways around the door that have no number: cookies, origins, keys, services, other paths."""

from __future__ import annotations

import base64
import re

import pytest

from growqr.config import Settings
from growqr.directory import Fence
from growqr.identity import agent_token, mint, new_ticket, stack_token
from growqr.store import Store, User
from tests.attack.house import SECRET, House, house, problem
from tests.attack.knocking import fresh_link, get, name_of, post, signed_in, stream
from tests.attack.walk import UNKNOWN, operations

pytestmark = pytest.mark.anyio


async def test_pages_of_others_do_not_speak_for_a_signed_in_browser(
    ours: House, alice: User
) -> None:
    browser = await ours.browser(alice)
    here = ours.urls[0]
    localhost = here.replace("127.0.0.1", "localhost")
    asked = (
        ("POST", "/threads"), ("GET", "/users/me"), ("GET", "/actors/me/events"),
        ("DELETE", "/memory/a.md"), ("POST", "/auth/logout"),
    )  # fmt: skip
    for origin in (
        "https://evil.test", "null", "file://", f"{here}.evil.test", here + "1", localhost, "",
        f"{here}/", f"evil {here}",
    ):  # fmt: skip
        for method, path in asked:
            answer = await browser.request(method, path, headers={"Origin": origin}, json={})
            assert problem(answer, 403)["rule"] == "origin", (origin, method)
    del browser.headers["Origin"]
    problem(await browser.post("/threads", json={"title": "x"}), 403)  # as no browser sends it
    assert (await browser.get("/users/me")).status_code == 200
    browser.headers["Origin"] = here
    assert (await browser.post("/threads", json={"title": "x"})).status_code == 201


async def test_a_host_header_makes_no_page_ours(
    settings: Settings, store: Store, alice: User
) -> None:
    public = settings.model_copy(update={"public_url": "https://growqr.test"})
    async with house(public, store) as ours:
        ticket = await signed_in(store, alice)
        cookie = {"Cookie": f"__Host-growqr_session={ticket}"}
        for host in ("evil.test", "growqr.test@evil.test", "growqr.test.evil.test", "evil.test#"):
            for extra in (
                {},
                {"X-Forwarded-Host": "growqr.test"},
                {"Forwarded": "host=growqr.test"},
            ):
                head = cookie | extra | {"Host": host, "Origin": f"https://{host.rstrip('#')}"}
                told = await post(ours, "/api/v1/threads", head, '{"title": "x"}')
                assert told.startswith("HTTP/1.1 403 "), told[:200]
        for origin, status in (("https://growqr.test", "201"), ("http://growqr.test", "403")):
            head = cookie | {"Host": "evil.test", "Origin": origin}
            told = await post(ours, "/api/v1/threads", head, '{"title": "x"}')
            assert told.split(" ")[1] == status
        bare = {"Cookie": f"growqr_session={ticket}", "Origin": "https://growqr.test"}
        told = await post(ours, "/api/v1/threads", bare, "{}")
        assert told.startswith("HTTP/1.1 401 "), "a cookie that any subdomain could set"
        her = await ours.person(alice)
        made = await her.post("/git/repos", json={"name": "a"}, headers={"Host": "evil.test"})
        assert made.json()["clone_url"].startswith("https://growqr.test/git/")


async def test_nobody_is_signed_in_by_anothers_page_or_cookie(
    ours: House, alice: User, bob: User
) -> None:
    token = {"Authorization": f"Bearer {mint(ours.settings, bob.subject)}"}
    link = await fresh_link(ours.store, bob)
    door = await ours.stranger()
    for origin in ("https://evil.test", "null"):
        for body, head in (({}, token), ({"link": link}, {})):
            answer = await door.post("/auth/exchange", json=body, headers={"Origin": origin} | head)
            assert problem(answer, 403)["rule"] == "origin"
            assert "set-cookie" not in answer.headers
    chosen, _ = new_ticket()
    door.cookies.set("growqr_session", chosen)  # the attacker has put it there beforehand
    answer = await door.post("/auth/exchange", json={"link": link})
    assert answer.status_code == 204
    assert chosen not in answer.headers["set-cookie"]
    fixed = {"Cookie": f"growqr_session={chosen}"}
    problem(await (await ours.stranger(**fixed)).get("/users/me"), 401)
    browser = await ours.browser(alice)
    first = browser.cookies[name_of(browser)]
    await browser.post("/auth/exchange", json={}, headers={
        "Authorization": f"Bearer {mint(ours.settings, alice.subject)}"})  # fmt: skip
    assert browser.cookies[name_of(browser)] != first, "signing in again is another cookie"


async def test_a_cookie_is_for_browsers_alone(settings: Settings, store: Store, alice: User):
    for public, secure in ((None, False), ("https://growqr.test", True)):
        async with house(settings.model_copy(update={"public_url": public}), store) as ours:
            door = await ours.person(alice)
            head = (await door.post("/auth/exchange", json={})).headers["set-cookie"]
            assert "HttpOnly" in head
            assert "SameSite=lax" in head
            assert "Domain" not in head
            assert ("Secure" in head, head.startswith("__Host-")) == (secure, secure)


async def test_what_comes_with_a_bad_token_is_not_looked_at(ours: House, alice: User, bob: User):
    browser = await ours.browser(alice)
    for bad in ("Bearer x.y.z", "Bearer gq_x", "Basic eA==", "x"):
        problem(await browser.get("/users/me", headers={"Authorization": bad}), 401)
    his = {"Authorization": f"Bearer {mint(ours.settings, bob.subject)}"}
    assert (await browser.get("/users/me", headers=his)).json()["id"] == bob.id
    assert (await browser.get("/users/me")).json()["id"] == alice.id


async def test_signed_out_is_signed_out(ours: House, alice: User, bob: User) -> None:
    browser, other, his = [await ours.browser(user) for user in (alice, alice, bob)]
    cookie = browser.cookies[name_of(browser)]
    [mine, _] = (await browser.get("/auth/sign-ins")).json()["data"]
    problem(await his.delete(f"/auth/sign-ins/{mine['id']}"), 404)
    async with stream(browser) as ended:
        assert (await browser.post("/auth/logout")).status_code == 204
        await ended()
    kept = await ours.stranger(Cookie=f"growqr_session={cookie}")
    problem(await kept.get("/users/me"), 401)
    for who in (other, his):
        assert (await who.get("/users/me")).status_code == 200


async def test_a_key_lets_nobody_in_and_makes_no_key(ours: House, alice: User) -> None:
    her = await ours.person(alice)
    every = await ours.program(await ours.key(her, "read", "write"))
    closed = [one for one in operations(ours.apps[0])
              if one.signed and one.group in ("auth", "api-keys", "admin")]  # fmt: skip
    assert len(closed) > 10
    for one in closed:
        answer = await every.request(one.method, one.url(UNKNOWN), json=one.body)
        assert problem(answer, 403)["rule"] == "no_keys_here", str(one)
    problem(await every.post("/auth/exchange", json={}), 401)
    assert (await every.post("/threads", json={"title": "x"})).status_code == 201


async def test_keys_through_git(ours: House, alice: User, bob: User) -> None:
    her, his = await ours.person(alice), await ours.person(bob)
    assert (await her.post("/git/repos", json={"name": "shop"})).status_code == 201
    keys = {"git:read": [200, 403], "git:write": [200, 200], "read": [200, 403],
            "memory:write": [403, 403]}  # fmt: skip
    at = f"/git/{alice.id}/shop.git/info/refs?service=git-"
    for scope, expected in keys.items():
        shown = (await ours.key(her, scope))["key"]
        basic = base64.b64encode(f"x:{shown}".encode()).decode()
        for head in (f"Basic {basic}", f"Bearer {shown}"):
            door = await ours.stranger(Authorization=head)
            told = [await door.get(f"{at}{way}") for way in ("upload-pack", "receive-pack")]
            assert [answer.status_code for answer in told] == expected, scope
        if expected[1] == 403:  # whatever else the request says
            for path, host in ((f"/git/{alice.id}/shop.git/git-receive-pack", "x?"),
                               ("/git/me/shop.git/git-receive-pack?service=git-upload-pack", "x#"),
                               ("/git/me/shop.git/git%2Dreceive-pack", "x/../")):  # fmt: skip
                sent = {"Authorization": f"Basic {basic}", "Host": host,
                        "Content-Type": "application/x-git-receive-pack-request"}  # fmt: skip
                told_raw = await post(ours, f"/api/v1{path}", sent, "0000")
                assert told_raw.split(" ")[1] in ("400", "403"), told_raw[:200]
    foreign = await ours.key(his, "write")
    problem(await (await ours.program(foreign)).get(f"{at}upload-pack"), 404)
    browser = await ours.browser(alice)
    assert (await browser.get(f"{at}upload-pack")).status_code == 401, "git knows no cookies"


async def test_services_and_agents_have_their_own_doors_alone(
    ours: House, alice: User, bob: User
) -> None:
    her = await ours.person(alice)
    await her.post("/opencode/provision")
    await her.post("/git/repos", json={"name": "shop"})
    await (await ours.person(bob)).post("/git/repos", json={"name": "shop"})
    service = await ours.store.services.get(alice.id, "opencode")
    assert service is not None
    good = stack_token(SECRET, alice.id, "opencode", service.generation)
    mcp, call = f"{ours.urls[0]}/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    wrong = {
        "of a generation before": stack_token(SECRET, alice.id, "opencode", service.generation - 1),
        "of one to come": stack_token(SECRET, alice.id, "opencode", service.generation + 1),
        "of a service that is not there": stack_token(SECRET, bob.id, "opencode", 0),
        "of an agent": agent_token(SECRET, Fence(f"grow-agent:{alice.id}", 1)),
        "of another instance": stack_token(b"x" * 32, alice.id, "opencode", service.generation),
        "cut": good[:-1], "of a person": mint(ours.settings, alice.subject),
        "a key": (await ours.key(her, "write"))["key"],
    }  # fmt: skip
    refs = "/git/{}/shop.git/info/refs?service=git-upload-pack"
    for what, token in wrong.items():
        door = await ours.stranger(Authorization=f"Bearer {token}")
        problem(await door.post(mcp, json=call), 401)
        if what not in ("of a person", "a key"):
            problem(await door.get(refs.format("me")), 401)
    inside = await ours.stranger(Authorization=f"Bearer {good}")
    for path in ("/users/me", "/threads", "/memory", "/actors/me/events", "/admin/users"):
        problem(await inside.get(path), 401)
    problem(await inside.get(refs.format(bob.id)), 404)
    assert (await inside.get(refs.format(alice.id))).status_code == 200
    assert (await inside.post(mcp, json=call)).status_code == 200


async def test_other_paths_are_the_same_door(ours: House, alice: User, bob: User) -> None:
    door, her, his = await ours.stranger(), await ours.person(alice), await ours.person(bob)
    reader = await ours.program(await ours.key(her, "read"))
    browser = await ours.browser(alice)
    top = ours.urls[0]
    ids = dict(UNKNOWN) | {"user": alice.id}
    for one in operations(ours.apps[0]):
        if not one.signed:
            continue
        for before in ("/api/v1", "/api", ""):
            url = f"{top}{before}{one.url(ids)}"
            problem(await door.request(one.method, url, json=one.body), 401)
            evil = {"Origin": "https://evil.test"}
            answer = await browser.request(one.method, url, json=one.body, headers=evil)
            assert problem(answer, 403)["rule"] == "origin"
            if one.method != "GET":
                problem(await reader.request(one.method, url, json=one.body), 403)
            if one.group == "admin":
                problem(await his.request(one.method, url, json=one.body), 403)
    for path in ("//admin/users", "/api//v1/admin/users", "/api/v1/admin/users/", "/ADMIN/users",
                 "/api/v1/config/../admin/users", "/config/%2e%2e/admin/users", "/admin%2fusers",
                 "/admin/users;x", "/admin/./users", "/admin/users%00", "/api/v1/api/v1/users/me",
                 "/auth/exchange/../me", "\\admin\\users"):  # fmt: skip
        for who in (door, his, reader):
            head = who.headers.get("authorization")
            told = await get(ours, path, {"Authorization": head} if head else {})
            assert told.split(" ")[1] in ("400", "401", "403", "404"), f"{path}: {told[:200]}"
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = await reader.get("/memory/a.md", headers={name: "PUT"})
        assert answer.status_code == 404
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-User", "X-Forwarded-User", "Remote-User"):
        problem(await door.get("/config/x", headers={name: "/admin/users"}), 404)
        problem(await door.get("/users/me", headers={name: alice.id}), 401)


async def test_strangers_learn_nothing_of_users(ours: House, alice: User) -> None:
    door = await ours.stranger()
    for path in ("/actors/{}", "/actors/{}/events", "/opencode/workspaces/{}", "/git/{}/x.git/info/"
                 "refs?service=git-upload-pack"):  # fmt: skip
        told = [(await door.get(path.format(who))).text for who in (alice.id, "u_nobody")]
        bare = [re.sub(r"req_[0-9a-f]+", "", text) for text in told]
        assert bare[0] == bare[1]
