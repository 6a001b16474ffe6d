"""Bodies that are too large are refused before they are in memory."""

from __future__ import annotations

import tracemalloc

import pytest

from growqr.api.envelope import MAX_BODY
from growqr.config import Settings
from growqr.identity import mint
from growqr.store import Store, User
from tests.attack.house import House, house, problem
from tests.attack.raw import Counting, endless, spoken
from tests.attack.walk import UNKNOWN, operations

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


async def test_56_5_mb_announced(ours: House, alice: User) -> None:
    """On every route that takes a body; a door of webhooks will be one of them."""
    token = mint(ours.settings, alice.subject)
    taking = [one for one in operations(ours.apps[0]) if one.method in ("POST", "PUT", "PATCH")]
    assert len(taking) > 25
    ids = dict(UNKNOWN) | {"user": "me", "workspace_id": "me", "path": "a.md"}
    for path in [*(f"/api/v1{one.url(ids)}" for one in taking), "/auth/exchange"]:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {5 * MIB}\r\n\r\n{{"
        )
        for method in {one.method for one in taking if f"/api/v1{one.url(ids)}" == path} or {
            "POST"
        }:
            told = await spoken(ours.urls[0], head.replace("POST", method, 1).encode())
            assert told.startswith("HTTP/1.1 413 "), f"{method} {path}: {told[:300]}"
            assert '"code": "too_large"' in told
    her = await ours.person(alice)
    answer = await her.put("/memory/a.md", json={"content": "x" * 190_000})
    assert answer.status_code == 200


async def test_56_twin_a_length_that_lies(ours: House, alice: User) -> None:
    token = mint(ours.settings, alice.subject)
    for length in ("-1", "1e9", "9" * 40, "0x10", "5 5"):
        head = (
            f"POST /threads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{}}"
        )
        status = (await spoken(ours.urls[0], head.encode())).split(" ")[1]
        assert status in ("400", "413"), (length, status)
    her = await ours.person(alice)
    assert (await her.post("/threads", json={"title": "x"})).status_code == 201


async def test_63_endless_and_of_unknown_length(
    settings: Settings, store: Store, alice: User
) -> None:
    counting: list[Counting] = []

    def counted(app: object) -> Counting:
        counting.append(Counting(app))  # type: ignore[arg-type]
        return counting[-1]

    async with house(settings, store, wrap=counted) as ours:
        token = mint(settings, alice.subject)
        her = await ours.person(alice)
        assert (await her.post("/threads", json={"title": "warm"})).status_code == 201
        for path in ("/api/v1/actors/me/message", "/threads", "/api/auth/exchange"):
            counting[0].taken = 0
            tracemalloc.start()
            head = (
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                "Content-Type: application/json"
            )
            _, told = await endless(ours.urls[0], head, size=11 * MIB)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert told.startswith("HTTP/1.1 413 "), f"{path}: {told[:300]}"
            assert counting[0].taken <= MAX_BODY + 512 * 1024  # and what was on its way
            assert peak < 6 * MIB, f"{peak} bytes for a body of {11 * MIB}"
        counting[0].taken = 0
        stranger = "POST /threads HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
        _, told = await endless(ours.urls[0], stranger, size=11 * MIB)
        assert told.startswith("HTTP/1.1 401 ")
        assert counting[0].taken == 0, "nothing of a stranger's body is read"
        answer = await her.post("/threads", json={"title": "x"})
        assert answer.status_code == 201
        large = await her.put("/memory/a.md", json={"content": "é" * 90_000})
        assert large.status_code == 200
        problem(await her.put("/memory/a.md", content=b'"' + b"x" * MIB + b'"'), 413)
