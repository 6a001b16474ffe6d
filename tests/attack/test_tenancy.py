"""What is another user's is not there: for every route, generated from the OpenAPI document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from growqr.store import User
from tests.attack.house import House, problem
from tests.attack.things import WORD, Things, everything, kept
from tests.attack.walk import APART, PUBLIC, UNKNOWN, Operation, operations, routes
from tests.conftest import new_user

pytestmark = pytest.mark.anyio

OWN_PLACES = {"PUT /api/v1/memory/{path}", "DELETE /api/v1/memory/{path}"}
"""A path there is of whoever asks: a write makes a file of their own."""

SAMPLES, SLACK, LOOKS = 7, 0.003, 5
"""Requests of each kind for a time; seconds by which the quickest of both may differ; and how
often one looks again at what seems to differ: what is noise does not stay."""


@pytest.fixture
async def hers(ours: House, alice: User) -> Things:
    return await everything(ours, alice)


def with_ids(ours: House, *, reading: bool) -> list[Operation]:
    return [one for one in operations(ours.apps[0]) if one.ids and (one.method == "GET") is reading]


async def ask(who: httpx.AsyncClient, operation: Operation, ids: Mapping[str, str]) -> Any:
    """The answer; of a stream that begins, only its head."""
    request = who.build_request(operation.method, operation.url(ids), json=operation.body)
    answer = await who.send(request, stream=True)
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        await answer.aclose()
    else:
        await answer.aread()
    return answer


def variants(operation: Operation, ids: Mapping[str, str]) -> list[dict[str, str]]:
    """With each of its ids alone foreign too, where the path also names a user."""
    found = [dict(ids)]
    if "user" in ids and len(ids) > 1:
        found.append(dict(ids) | {"user": "me"})
    return found


def told(answer: httpx.Response, status: int, ids: Mapping[str, str]) -> str:
    """What a refusal says, whatever was asked for."""
    text = str(problem(answer, status))
    for value in ids.values():
        text = text.replace(value, "IT")
    return text


def test_29_twin_every_route_is_walked_or_public(ours: House) -> None:
    documented = {(one.method, one.path.removeprefix("/api/v1")): one
                  for one in operations(ours.apps[0])}  # fmt: skip
    for method, path in routes(ours.apps[0]):
        if path in PUBLIC | APART:
            assert not documented.get((method, path)) or not documented[method, path].signed
            continue
        assert documented[method, path].signed, f"{method} {path} is in no list of public routes"
    for one in documented.values():
        assert set(one.ids) <= set(UNKNOWN), f"{one}: no test makes such a thing"
        assert one.streams or one.method != "GET" or "text/event-stream" not in str(one.spec)


async def test_29_reading_what_is_anothers(ours: House, hers: Things, alice: User, bob: User):
    his, her = await ours.person(bob), await ours.person(alice)
    found = with_ids(ours, reading=True)
    assert len([one for one in found if one.streams]) >= 3
    for one in found:
        ids = hers.of(one)
        for foreign in variants(one, ids):
            unknown = {name: UNKNOWN[name] if foreign[name] != "me" else "me" for name in foreign}
            answer = await ask(his, one, foreign)
            assert told(answer, 404, foreign) == told(await ask(his, one, unknown), 404, unknown)
        mine = await ask(her, one, ids)
        assert mine.status_code == 200, f"{one}: {mine.text}"
        assert one.streams == mine.headers["content-type"].startswith("text/event-stream")


async def test_29_twin_it_takes_as_long_as_what_is_not_there(
    ours: House, hers: Things, bob: User
) -> None:
    his = await ours.person(bob)
    differing = {str(one): one for one in with_ids(ours, reading=True)}
    for _ in range(LOOKS):
        for name, one in list(differing.items()):
            foreign, unknown = await _quickest(his, one, hers.of(one), UNKNOWN)
            if abs(foreign - unknown) < SLACK:
                del differing[name]
    assert differing == {}


async def _quickest(
    who: httpx.AsyncClient, operation: Operation, *asked: Mapping[str, str]
) -> list[float]:
    """Seconds for each; taken in turns, so that a busy machine slows all of them."""
    best = [float("inf")] * len(asked)
    for _ in range(SAMPLES):
        for place, ids in enumerate(asked):
            before = time.perf_counter()
            await ask(who, operation, ids)
            best[place] = min(best[place], time.perf_counter() - before)
    return best


async def test_30_changing_what_is_anothers(
    ours: House, hers: Things, alice: User, bob: User, database_url: str
) -> None:
    his, her, data = await ours.person(bob), await ours.person(alice), ours.settings.data
    before = await kept(database_url, data, alice)
    assert WORD in str(before)
    found = with_ids(ours, reading=False)
    assert len(found) > 20
    for one in found:
        for foreign in variants(one, hers.of(one)):
            answer = await ask(his, one, foreign)
            if str(one) in OWN_PLACES:
                assert answer.status_code == 200
            else:
                problem(answer, 403 if one.group == "admin" else 404)
            assert await kept(database_url, data, alice) == before, f"{one} changed what is hers"
    for one in found:  # and each of them is a request that does something where it is one's own
        answer = await ask(her, one, hers.of(one))
        elsewhere = "provider" in one.ids or one.path.endswith("/undo")  # of what is not there
        assert answer.status_code < 300 or answer.status_code == 409 or elsewhere, (
            f"{one}: {answer.text}"
        )
    assert await kept(database_url, data, alice) != before


async def test_30_twin_git_and_the_hidden_routes(ours: House, hers: Things, alice: User, bob: User):
    repo, unknown = hers.ids["repo"], UNKNOWN["repo"]
    his, her = await ours.person(bob), await ours.person(alice)
    for who in (alice.id, "me"):
        for program in ("git-upload-pack", "git-receive-pack"):
            path = f"/git/{who}/{{}}.git/info/refs?service={program}"
            foreign = told(await his.get(path.format(repo)), 404, {"": repo})
            if who != "me":
                problem(await his.get(path.format(unknown)), 404)
            else:
                assert foreign == told(await his.get(path.format(unknown)), 404, {"": unknown})
            assert (await her.get(path.format(repo))).status_code == 200
            head = {"Content-Type": f"application/x-{program}-request"}
            path = f"/git/{who}/{repo}.git/{program}"
            problem(await his.post(path, content=b"0000", headers=head), 404)
    for path in ("/actors/start", "/actors/stop"):
        problem(await his.post(path, json={"userId": alice.id}), 404)
        assert (await his.post(path, json={"userId": bob.id})).status_code == 202
    problem(await his.post(f"{ours.urls[0]}/mcp", json={}), 401)


async def test_32_another_user_in_the_body(ours: House, alice: User, bob: User) -> None:
    his = await ours.person(bob)
    taking = [one for one in operations(ours.apps[0]) if one.signed and one.body is not None]
    taking = [one for one in taking if one.group != "admin"]
    assert len(taking) > 15
    for one in taking:
        ids = dict(UNKNOWN) | {"user": "me", "workspace_id": "me", "path": "a.md"}
        for name in ("userId", "user_id"):
            asked = one.body | {name: alice.id}
            problem(await his.request(one.method, one.url(ids), json=asked), 404)
    assert (await (await ours.person(alice)).get("/actors/me")).json()["seq"] == 0
    for name in ("userId", "user_id"):
        for path in ("/actors/provision", "/users/bootstrap"):
            answer = await his.post(path, json={name: bob.id})
            assert bob.id in answer.text
            assert answer.status_code < 300
    answer = await his.post("/actors/me/message", json={"text": "x", "userId": bob.id})
    assert answer.status_code == 202


async def test_33_lists_hold_ones_own_alone(ours: House, hers: Things, alice: User) -> None:
    store, users = ours.store, [await new_user(ours.store, f"n{n}") for n in range(50)]
    for user in users:
        await store.messages.accept(user.id, f"{user.id} says")
        await store.threads.create(user.id, f"of {user.id}")
        await store.timers.set(user.id, f"for {user.id}", seconds=600.0)
    lists = [one for one in operations(ours.apps[0]) if one.method == "GET" and one.signed
             and not one.ids and one.group != "admin"]  # fmt: skip
    assert len(lists) > 12
    for user in (users[0], users[25], users[49]):
        mine, others = await ours.person(user), {one.id for one in users if one is not user}
        foreign = (others | {alice.id, WORD, *hers.ids.values()}) - {"nobody"}
        whole = ""
        for one in lists:
            query = {"q": WORD} if "search" in one.path else {}
            answer = await mine.get(one.url({}), params=query | {"limit": 200})
            assert answer.status_code == 200, answer.text
            whole += answer.text
        threads = (await mine.get("/threads")).json()["data"]
        for thread in threads:
            whole += (await mine.get(f"/threads/{thread['id']}/messages")).text
        assert [found for found in foreign if found in whole] == []
        assert {f"{user.id} says", f"of {user.id}", f"for {user.id}"} <= {
            word for word in (f"{user.id} says", f"of {user.id}", f"for {user.id}") if word in whole
        }


async def test_36_anothers_sub_agent_under_ones_own_path(
    ours: House, hers: Things, alice: User, bob: User
) -> None:
    his, her = await ours.person(bob), await ours.person(alice)
    sub = hers.ids["sub_agent_id"]
    for who in ("me", bob.id):
        at = f"/actors/{who}/sub-agents/{sub}"
        problem(await his.get(at), 404)
        problem(await his.post(f"{at}/run", json={"prompt": "x"}), 404)
        problem(await his.post(f"{at}/stop"), 404)
    problem(await his.post(f"/opencode/sessions/{sub}/messages", json={"prompt": "x"}), 404)
    problem(await his.get(f"/opencode/sessions/{sub}/events"), 404)
    problem(await his.post("/actors/me/message", json={"text": "x", "channelId": sub}), 404)
    mine = (await her.get(f"/actors/me/sub-agents/{sub}")).json()
    assert mine["state"] == "idle", mine
    answer = await her.post(f"/actors/me/sub-agents/{sub}/run", json={"prompt": "x"})
    assert answer.status_code == 202


async def test_37_fields_that_only_the_server_sets(ours: House, hers: Things, alice: User):
    her = await ours.person(alice)
    taking = [one for one in operations(ours.apps[0]) if one.body is not None]
    for one in taking:
        ids = hers.of(one) if one.ids else {}
        for field, value in (
            ("role", "admin"), ("epoch", 99), ("id", "x"), ("scopes", ["write"]), ("state", "x"),
            ("created_at", "2020-01-01T00:00:00Z"), ("suspended_at", None), ("used_by", "x"),
            ("created_by", "x"), ("seq", 1), ("sha256", "x"), ("generation", 7), ("__proto__", {}),
        ):  # fmt: skip
            known = one.spec["requestBody"]["content"]["application/json"]["schema"]
            if (field, str(known.get("$ref")).rpartition("/")[2]) in ALLOWED:
                continue
            answer = await her.request(one.method, one.url(ids), json=one.body | {field: value})
            problem(answer, 422)
    for one in [o for o in taking if o.path.endswith(("/threads", "/message"))]:
        answer = await her.request(one.method, one.url(hers.of(one)), json=one.body)
        assert answer.status_code < 300, answer.text


ALLOWED = {
    ("role", "Change"), ("role", "NewInvite"), ("scopes", "NewApiKey"), ("id", "Undone"),
}  # fmt: skip
"""Admins say roles; whoever makes a key says its scopes, whoever undoes a version which."""
