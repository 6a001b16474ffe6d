"""Limits over all replicas: what is too much is a 429 that says when to come again."""

from __future__ import annotations

import asyncio
import re
import time

import httpx
import pytest

from growqr.config import Settings
from growqr.errors import StoreUnavailable
from growqr.identity import instance_secret, stack_token
from growqr.store import Store, User
from tests.fakes.clerk import FakeClerk
from tests.rows import rows
from tests.unit.api.doors import bearer, coming, door, refusal, signed_in

pytestmark = pytest.mark.anyio

OVER = "update allowance set since = since - interval '61 seconds'"


def left(answer: httpx.Response) -> tuple[str, int]:
    """(whose limit, requests left) as the headers tell; they belong together."""
    policy = re.fullmatch(r'"(user|key)";q=(\d+);w=60', answer.headers["ratelimit-policy"])
    rest = re.fullmatch(r'"(user|key)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert policy
    assert rest
    assert policy[1] == rest[1]
    assert int(rest[2]) <= int(policy[2])
    assert 0 <= int(rest[3]) <= 60
    return rest[1], int(rest[2])


def too_many(answer: httpx.Response) -> str:
    body = refusal(answer, 429)
    assert body["code"] == "too_many"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["retry-after"] in body["detail"]
    return str(body["detail"])


async def test_a_user_has_one_limit_by_whatever_way_and_replica(
    settings: Settings, store: Store, database_url: str, alice: User, bob: User
) -> None:
    async with (
        Store(database_url, 2) as far,
        door(settings, store, limit_requests=3) as one,
        door(settings, far, limit_requests=3) as two,
        signed_in(one, store, alice) as browser,
        coming(two, authorization=bearer(settings, alice)) as program,
        coming(two, authorization=bearer(settings, bob)) as other,
    ):
        rest = [left(await who.get("/threads")) for who in (browser, program, browser)]
        assert rest == [("user", 2), ("user", 1), ("user", 0)]
        for who in (program, browser):
            answer = await who.get("/threads")
            assert "this user has made 3 requests" in too_many(answer)
            assert left(answer) == ("user", 0)
        assert left(await other.get("/threads")) == ("user", 2)
        await rows(database_url, OVER)
        assert left(await program.get("/threads")) == ("user", 2)


async def test_a_key_has_a_limit_of_its_own_and_the_narrower_one_is_told(
    settings: Settings, store: Store, alice: User
) -> None:
    async with door(settings, store, limit_requests=6, limit_key_requests=2) as app:
        async with coming(app, authorization=bearer(settings, alice)) as person:
            keys = [
                (await person.post("/api-keys", json={"name": n, "scopes": ["read"]})).json()["key"]
                for n in "ab"
            ]
            async with (
                coming(app, authorization=f"Bearer {keys[0]}") as first,
                coming(app, authorization=f"Bearer {keys[1]}") as second,
            ):
                assert left(await first.get("/threads")) == ("key", 1)
                assert left(await first.get("/threads")) == ("key", 0)
                assert "this key has made 2 requests" in too_many(await first.get("/threads"))
                assert left(await second.get("/threads")) == ("user", 0)
                assert "this user has made 6 requests" in too_many(await second.get("/threads"))
                too_many(await person.get("/threads"))


async def test_without_a_limit_no_header_speaks_of_one(
    settings: Settings, store: Store, alice: User
) -> None:
    async with door(settings, store, limit_requests=0) as app:
        async with coming(app, authorization=bearer(settings, alice)) as person:
            answers = [await person.get("/threads") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


async def test_strangers_are_counted_by_address_whatever_they_try(
    settings: Settings, store: Store, database_url: str, alice: User
) -> None:
    async with door(settings, store, limit_strangers=4) as app:
        async with (
            coming(app) as stranger,
            coming(app, address="192.0.2.2") as other,
            coming(app, authorization=bearer(settings, alice)) as person,
        ):
            for head in ({}, {"authorization": "Bearer x.y.z"}, {"cookie": "growqr_session=x"}):
                refusal(await stranger.get("/threads", headers=head), 401)
            assert (await stranger.get("/config")).status_code == 200
            for path in ("/threads", "/config", "/nothing/there"):
                answer = await stranger.get(path)
                if path == "/nothing/there":
                    assert answer.status_code == 404
                    continue
                assert "from this address" in too_many(answer)
            too_many(await stranger.post("/auth/exchange", json={"link": "x"}))
            refusal(await other.get("/threads"), 401)
            # Who is known is no stranger, from the same address too.
            assert (await person.get("/threads")).status_code == 200
            await rows(database_url, OVER)
            refusal(await stranger.get("/threads"), 401)


@pytest.mark.parametrize(
    ("proxies", "told", "counted"),
    [
        (0, "198.51.100.7", "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.66, 203.0.113.9,198.51.100.7", "203.0.113.9"),
        (2, "198.51.100.7", "198.51.100.7"),
        (1, None, "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9,", "192.0.2.1"),
        (1, "x" * 500, "x" * 64),
    ],
)
async def test_the_address_is_the_proxies_word_only_where_there_are_any(
    settings: Settings, store: Store, database_url: str, proxies: int, told: str | None,
    counted: str,
) -> None:  # fmt: skip
    async with door(settings, store, proxies=proxies) as app, coming(app) as stranger:
        head = {} if told is None else {"x-forwarded-for": told}
        refusal(await stranger.get("/threads", headers=head), 401)
    assert await rows(database_url, "select key from allowance") == [(f"address:{counted}",)]


@pytest.mark.parametrize(("behind", "counted"), [(True, "198.51.100.7"), (False, "192.0.2.1")])
async def test_the_ingress_is_believed_where_there_is_one(
    settings: Settings, store: Store, database_url: str, behind: bool, counted: str
) -> None:
    async with door(settings, store) as app, coming(app) as stranger:
        app.state.context.behind_ingress = behind
        head = {"x-growqr-peer": "198.51.100.7", "x-forwarded-for": "203.0.113.9"}
        refusal(await stranger.get("/threads", headers=head), 401)
    assert await rows(database_url, "select key from allowance") == [(f"address:{counted}",)]


async def test_proxies_that_add_a_line_of_their_own_are_read_to_the_last(
    settings: Settings, store: Store, database_url: str
) -> None:
    """A client sends the first line; it must not stand for the proxy's."""
    async with door(settings, store, proxies=1) as app, coming(app) as stranger:
        lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.7")]
        refusal(await stranger.get("/threads", headers=lines), 401)
    assert await rows(database_url, "select key from allowance") == [("address:198.51.100.7",)]


async def test_whom_the_gate_turns_away_is_counted_as_a_stranger(
    settings: Settings, store: Store
) -> None:
    """A good token of somebody not invited costs us a look at the invites, each time."""
    with FakeClerk(time.time) as clerk:
        gate = {"clerk_publishable_key": clerk.publishable_key, "allowed_emails": ["ann@a.example"]}
        async with door(settings, store, limit_strangers=3, **gate) as app, coming(app) as other:
            head = {"authorization": f"Bearer {clerk.token(email='eve@e.example')}"}
            for _ in range(3):
                refusal(await other.get("/threads", headers=head), 403, "gate")
            too_many(await other.get("/threads", headers=head))


def with_secret(settings: Settings) -> None:
    """What tokens of services are made with."""
    settings.secrets.mkdir(parents=True, exist_ok=True)
    (settings.secrets / "instance.key").write_text(bytes(range(32)).hex())


@pytest.mark.parametrize("path", ["/mcp", "/git/u_x/shop.git/info/refs?service=git-upload-pack"])
async def test_a_bad_token_of_a_service_is_counted(
    settings: Settings, store: Store, path: str
) -> None:
    method = "POST" if path == "/mcp" else "GET"
    with_secret(settings)
    heads = [{}, {"authorization": "Bearer gqm.x"}, {"authorization": "Basic !"}]
    async with door(settings, store, limit_strangers=3) as app, coming(app) as stranger:
        for head in heads:
            answer = await stranger.request(method, f"http://growqr{path}", headers=head)
            assert answer.status_code == 401, answer.text
        too_many(await stranger.request(method, f"http://growqr{path}"))


async def test_a_service_has_its_users_limit(settings: Settings, store: Store, alice: User) -> None:
    with_secret(settings)
    await store.repos.create(alice.id, "shop")
    service = await store.services.want(alice.id, "opencode", "ready")
    token = stack_token(instance_secret(settings), alice.id, "opencode", service.generation)
    refs = f"http://growqr/git/{alice.id}/shop.git/info/refs?service=git-upload-pack"
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with door(settings, store, limit_requests=3) as app:
        async with (
            coming(app, authorization=f"Bearer {token}") as inside,
            coming(app, authorization=bearer(settings, alice)) as person,
        ):
            assert left(await inside.post("http://growqr/mcp", json=ping)) == ("user", 2)
            assert left(await inside.get(refs)) == ("user", 1)
            assert left(await person.get("/threads")) == ("user", 0)
            too_many(await inside.post("http://growqr/mcp", json=ping))
            too_many(await inside.get(refs))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("unix", "unix"),
    ],
)
async def test_strangers_of_one_network_are_one(
    settings: Settings, store: Store, database_url: str, address: str, counted: str
) -> None:
    async with door(settings, store) as app, coming(app, address=address) as stranger:
        refusal(await stranger.get("/threads"), 401)
    assert await rows(database_url, "select key from allowance") == [(f"address:{counted}",)]


async def test_anybody_who_asks_how_we_are_costs_one_question_a_second(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, away = [], StoreUnavailable("the database is away")

    async def health() -> None:
        asked.append(1)
        await asyncio.sleep(0.01)
        if len(asked) == 2:
            raise away

    monkeypatch.setattr(store, "health", health)
    paths = ("http://growqr/readyz", "http://growqr/health")
    async with door(settings, store) as app, coming(app) as stranger:
        for turn, status in ((1, 200), (2, 503), (3, 200)):
            both = await asyncio.gather(*(stranger.get(path) for path in paths * 4))
            assert {answer.status_code for answer in both} == {status}
            assert (await stranger.get(paths[0])).status_code == status
            assert len(asked) == turn
            app.state.context.health._at -= 1.0
