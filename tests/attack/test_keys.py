"""API keys that should not open, what a key that may read can do, and where a key is ever seen."""

from __future__ import annotations

import base64
import statistics
import string
import time
import zlib

import httpx
import psycopg
import pytest

from growqr.identity import make_key
from growqr.store import User
from tests.attack.house import House, problem
from tests.attack.things import dump, everything
from tests.attack.walk import UNKNOWN, operations

pytestmark = pytest.mark.anyio

ROUNDS, LOOKS, SLACK = 40, 5, 0.002
"""Tries of each kind, how often a difference is looked at again, and seconds that are noise."""


async def knock(ours: House, key: str) -> httpx.Response:
    door = await ours.stranger(Authorization=f"Bearer {key}")
    return await door.get("/users/me")


def with_check(body: str) -> str:
    """A body with the check that belongs to it, as anybody may compute it."""
    digits, number, check = string.digits + string.ascii_uppercase + string.ascii_lowercase, 0, ""
    number = zlib.crc32(body.encode())
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = digits[digit] + check
    return body + check


async def test_39_keys_that_open_nothing(ours: House, alice: User, database_url: str) -> None:
    her = await ours.person(alice)
    good, revoked, over = [await ours.key(her, "read", expires_in_days=1) for _ in range(3)]
    key = str(good["key"])
    assert with_check(key[:-6]) == key  # so that what is below fails by more than its check
    assert (await her.delete(f"/api-keys/{revoked['id']}")).status_code == 204
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        past = "update api_key set expires_at = clock_timestamp() - interval '1 second'"
        await conn.execute(f"{past} where id = %s".encode(), [over["id"]])
    other = "b" if key[20] != "b" else "c"
    mistyped = key[:20] + other + key[21:]
    unknown, _ = make_key()
    for wrong in (
        revoked["key"], over["key"], key[:-1], key[:-6], key[:12], key + "x", key[:-1] + "~",
        key[:-1] + ("a" if key[-1] != "a" else "b"), mistyped, with_check(mistyped[:-6]), unknown,
        key.upper(), "gq_", f"gq_{good['id']}_", with_check(f"gq_{good['id']}_{'0' * 43}"),
        key.replace("_", "%5F"), f"{key} {key}",
    ):  # fmt: skip
        assert wrong != key
        assert problem(await knock(ours, str(wrong)), 401, "unauthorized")["detail"] == (
            "A valid bearer token is required."
        )
    assert (await knock(ours, key)).status_code == 200


async def test_40_a_key_that_may_read_writes_nowhere(ours: House, alice: User) -> None:
    hers = await everything(ours, alice)
    her = await ours.person(alice)
    reader = await ours.program(await ours.key(her, "read"))
    every = operations(ours.apps[0])
    writes = [one for one in every if one.method != "GET" and one.signed]
    assert len(writes) > 30
    for one in writes:
        for ids in (hers.of(one), UNKNOWN):
            if "user" in ids and ids["user"] != alice.id:
                continue  # another user's, which is a 404 for whatever key
            answer = await reader.request(one.method, one.url(ids), json=one.body)
            body = problem(answer, 403, "forbidden")
            assert body["rule"] == ("no_keys_here" if one.group in ("auth", "api-keys", "admin")
                                    else "scope"), f"{one}: {body}"  # fmt: skip
    git = f"/git/{alice.id}/{hers.ids['repo']}.git"
    head = {"Content-Type": "application/x-git-receive-pack-request"}
    problem(await reader.get(f"{git}/info/refs?service=git-receive-pack"), 403)
    problem(await reader.post(f"{git}/git-receive-pack", content=b"0000", headers=head), 403)
    for one in every:
        if one.method == "GET" and one.signed and not one.streams:
            query = {"q": "x"} if "search" in one.path else {}
            answer = await reader.get(one.url(hers.of(one)), params=query)
            personal = one.group in ("auth", "api-keys", "admin")
            assert answer.status_code == (403 if personal else 200), f"{one}: {answer.text}"
    assert (await reader.get(f"{git}/info/refs?service=git-upload-pack")).status_code == 200


async def test_40_twin_narrow_keys_and_those_that_write(ours: House, alice: User) -> None:
    her = await ours.person(alice)
    writer = await ours.program(await ours.key(her, "write"))
    memory = await ours.program(await ours.key(her, "memory:write"))
    threads = await ours.program(await ours.key(her, "threads:read"))
    for who, path, status in (
        (writer, "/memory/a.md", 200), (memory, "/memory/b.md", 200), (threads, "/memory/c.md", 403)
    ):  # fmt: skip
        answer = await who.put(path, json={"content": "x"})
        assert answer.status_code == status, answer.text
    assert (await memory.get("/memory/b.md")).status_code == 200
    assert (await threads.get("/threads")).status_code == 200
    problem(await memory.get("/threads"), 403)
    problem(await threads.get("/turns/trn_" + "0" * 32), 403)
    problem(await threads.post("/threads", json={"title": "x"}), 403)


async def test_42_a_key_is_seen_once(ours: House, alice: User, database_url: str) -> None:
    her = await ours.person(alice)
    once = {"Idempotency-Key": "make-one"}
    body = {"name": "x", "scopes": ["read"]}
    answer = await her.post("/api-keys", json=body, headers=once)
    key = str(answer.json()["key"])
    secret = key.split("_")[2][:43]
    assert (await knock(ours, key)).status_code == 200
    problem(await her.post("/api-keys", json=body, headers=once), 409)
    shown = (await her.get("/api-keys")).text
    assert answer.json()["id"] in shown
    whole = shown + (await her.get("/admin/audit")).text + await dump(database_url)
    assert answer.json()["id"] in whole
    for form in (key, secret, secret.encode().hex(), base64.b64encode(key.encode()).decode()):
        assert form not in whole


async def test_99_a_wrong_key_tells_nothing_by_its_time(ours: House, alice: User) -> None:
    her = await ours.person(alice)
    good = await ours.key(her, "read")
    secret = good["key"].split("_")[2][:43]
    wrong = {
        "unknown id": with_check(f"gq_{'0' * 8}_{secret}"),
        "right id, wrong secret": with_check(f"gq_{good['id']}_{'0' * 43}"),
        "right id, all but the last letter": with_check(f"gq_{good['id']}_{secret[:-1]}0"),
    }
    if wrong["right id, all but the last letter"] == good["key"]:
        wrong.popitem()
    malformed = good["key"][:-1]
    for _ in range(LOOKS):
        medians = await _medians(ours, [*wrong.values(), malformed])
        *near, cheap = medians
        if max(near) - min(near) < SLACK and cheap < min(near) + SLACK:
            break  # noise does not stay, and a key that is none costs no more than another
    else:
        pytest.fail(f"{medians} s")
    assert (await knock(ours, good["key"])).status_code == 200


async def _medians(ours: House, keys: list[str]) -> list[float]:
    """Seconds until each key is refused; taken in turns, so that a busy machine slows all."""
    took: list[list[float]] = [[] for _ in keys]
    door = await ours.stranger()
    for _ in range(ROUNDS):
        for place, key in enumerate(keys):
            before = time.perf_counter()
            answer = await door.get("/users/me", headers={"Authorization": f"Bearer {key}"})
            took[place].append(time.perf_counter() - before)
            assert answer.status_code == 401
    return [statistics.median(times) for times in took]
