"""Keys of an issuer: a new one works at once, a flood asks once, an outage changes nothing."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any, get_args

import pytest

from growqr.errors import Unauthorized
from growqr.identity import Verifier, jwks
from growqr.identity.published import published
from tests.fakes.clerk import Answers, FakeClerk, signed
from tests.unit.identity.conftest import Clock, Opened

pytestmark = pytest.mark.anyio

HOUR = 3600.0
RUBBISH = [answer for answer in get_args(Answers) if answer not in ("good", "slow")]


async def gets_in(verifier: Verifier, token: str) -> bool:
    try:
        await verifier.verify([f"Bearer {token}"])
    except Unauthorized:
        return False
    return True


def fresh(clerk: FakeClerk, **changed: Any) -> str:
    """A token of the moved clock. jose looks at the real one, for which `nbf` must have come."""
    return clerk.token(**{"nbf": int(time.time()), **changed})


def unknown(clerk: FakeClerk, kid: str) -> str:
    return signed({"alg": "RS256", "kid": kid}, clerk.claims())


@pytest.fixture
def verifier(opened: Opened) -> Verifier:
    return opened()


async def test_keys_are_fetched_once(clerk: FakeClerk, verifier: Verifier) -> None:
    assert clerk.fetches == 0
    tokens = [clerk.token(sid=f"sess_{n}") for n in range(50)]
    assert all(await asyncio.gather(*(gets_in(verifier, token) for token in tokens)))
    assert clerk.fetches == 1


async def test_flood_of_unknown_keys_asks_once_per_window(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    for window in range(1, 4):
        flood = [unknown(clerk, f"kid-{window}-{n}") for n in range(1000)]
        assert not any(await asyncio.gather(*(gets_in(verifier, token) for token in flood)))
        for token in flood[:100]:
            assert not await gets_in(verifier, token)
        assert clerk.fetches == window
        assert await gets_in(verifier, fresh(clerk, sid=f"sess_{window}"))
        clock.now += jwks.GAP
    assert clerk.fetches == 3


async def test_missing_key_is_remembered(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    for seconds, fetches in ((0, 1), (6, 1), (23, 1), (2, 2)):
        clock.now += seconds
        assert not await gets_in(verifier, unknown(clerk, "gone"))
        assert clerk.fetches == fetches


async def test_memory_of_missing_keys_is_bounded(
    clerk: FakeClerk, verifier: Verifier, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_MAX_MISSING", 2)
    for kid in ("a", "b", "c", "a"):
        await gets_in(verifier, unknown(clerk, kid))
        clock.now += jwks.GAP
    assert clerk.fetches == 4  # the first was forgotten for the third


async def test_new_key_works_at_once_or_within_the_gap(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    assert await gets_in(verifier, clerk.token())
    clock.now += jwks.GAP
    clerk.rotate()
    assert await gets_in(verifier, fresh(clerk))
    clerk.rotate()  # right behind a fetch
    assert not await gets_in(verifier, fresh(clerk))
    clock.now += 4.9
    assert not await gets_in(verifier, fresh(clerk))
    clock.now += 0.2
    assert await gets_in(verifier, fresh(clerk))
    assert clerk.fetches == 3


async def test_new_key_works_under_a_flood(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    await gets_in(verifier, unknown(clerk, "first"))
    clerk.rotate()
    waited = 0
    while not await gets_in(verifier, fresh(clerk)):
        await asyncio.gather(
            *(gets_in(verifier, unknown(clerk, f"{waited}-{n}")) for n in range(100))
        )
        clock.now, waited = clock.now + 1, waited + 1
    assert waited <= 5
    assert clerk.fetches == 2


async def test_withdrawn_key_is_refused_after_its_time(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    old, key = clerk.kid, clerk.keys[clerk.kid]
    assert await gets_in(verifier, clerk.token())
    clerk.rotate()
    clerk.withdraw(old)
    clock.now += 100
    by_old = {"header": {"kid": old}, "key": key}
    assert await gets_in(verifier, fresh(clerk, **by_old))
    clock.now += jwks.TTL - 99  # nobody came by in between
    assert not await gets_in(verifier, fresh(clerk, **by_old))
    assert await gets_in(verifier, fresh(clerk))
    assert clerk.fetches == 2


async def test_keys_are_renewed_beside_the_request(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    old, key = clerk.kid, clerk.keys[clerk.kid]
    assert await gets_in(verifier, clerk.token())
    clerk.rotate()
    clerk.withdraw(old)
    clerk.answers = "slow"
    clock.now += jwks.REFRESH + 1
    began = time.monotonic()
    assert await gets_in(verifier, fresh(clerk, header={"kid": old}, key=key))
    assert time.monotonic() - began < jwks.PATIENCE / 2
    clerk.release.set()
    asked = itertools.count()
    async with asyncio.timeout(5):
        while await gets_in(
            verifier, fresh(clerk, header={"kid": old}, key=key, sid=f"sess_{next(asked)}")
        ):
            await asyncio.sleep(0.01)
    assert clerk.fetches == 2


async def test_slow_issuer_is_waited_for_once(
    clerk: FakeClerk, verifier: Verifier, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "PATIENCE", 0.1)
    assert await gets_in(verifier, clerk.token())
    clerk.answers = "slow"
    clock.now += jwks.TTL + 1
    async with asyncio.timeout(3):  # the fetch itself would take five
        assert await gets_in(verifier, fresh(clerk))
    monkeypatch.setattr(jwks, "PATIENCE", 60.0)  # a second wait would not end in time
    async with asyncio.timeout(2):
        assert await gets_in(verifier, fresh(clerk, sid="sess_other"))
    assert clerk.fetches == 2
    clerk.release.set()


@pytest.mark.parametrize("answers", RUBBISH)
async def test_outage_changes_nothing_for_a_day(
    answers: Answers, clerk: FakeClerk, verifier: Verifier, clock: Clock, caplog: Any
) -> None:
    assert await gets_in(verifier, clerk.token())
    clerk.answers = answers
    for hour in range(1, 25):
        clock.now += HOUR if hour < 24 else HOUR - 61
        before = clerk.fetches
        async with asyncio.timeout(5):
            while clerk.fetches == before:
                assert await gets_in(verifier, fresh(clerk))
                await asyncio.sleep(0.01)
    clock.now += 61
    assert "none is good" not in caplog.text
    assert not await gets_in(verifier, fresh(clerk))
    assert "none is good" in caplog.text
    clerk.answers = "good"
    clock.now += jwks.GAP
    assert await gets_in(verifier, fresh(clerk))


@pytest.mark.parametrize("answers", RUBBISH)
async def test_rubbish_gives_no_key(
    answers: Answers, clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    clerk.answers = answers
    assert not await gets_in(verifier, clerk.token())
    clerk.answers = "good"
    assert not await gets_in(verifier, clerk.token())  # asked a moment ago
    clock.now += jwks.GAP
    assert await gets_in(verifier, fresh(clerk))
    assert clerk.fetches == (3 if answers == "down" else 2)  # aiohttp asks twice when cut off


async def test_silent_issuer_has_a_deadline(
    clerk: FakeClerk, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "DEADLINE", 0.1)
    clerk.answers = "slow"
    async with asyncio.timeout(3):
        assert not await gets_in(verifier, clerk.token())


async def test_asking_goes_on_when_the_clock_is_set_back(
    clerk: FakeClerk, verifier: Verifier, clock: Clock
) -> None:
    clock.now += 2 * HOUR
    assert not await gets_in(verifier, unknown(clerk, "gone"))
    clerk.rotate()
    clock.now -= 2 * HOUR
    assert await gets_in(verifier, clerk.token())


@pytest.mark.parametrize(
    ("url", "production"),
    [
        ("http://127.0.0.1:9/x", True),
        ("http://clerk.example.com/x", False),
        ("http://127.0.0.1.example.com/x", False),
        ("https://user:secret@clerk.example.com/x", False),
        ("ftp://127.0.0.1/x", False),
        ("file:///etc/passwd", False),
        ("None", False),
    ],
)
async def test_keys_come_from_https_only(url: str, production: bool) -> None:
    with pytest.raises(ValueError, match="must be"):
        await published(url, production=production)


async def test_discovery_must_be_of_the_issuer(
    clerk: FakeClerk, opened: Opened, clock: Clock
) -> None:
    verifier = opened(oidc_issuer=clerk.url)
    clerk.issuer = "https://other.example.com"
    assert not await gets_in(verifier, clerk.token())
    assert (clerk.discoveries, clerk.fetches) == (1, 0)
    clerk.issuer = clerk.url
    clock.now += jwks.GAP
    assert await gets_in(verifier, fresh(clerk))


async def test_known_address_of_keys_needs_no_discovery(clerk: FakeClerk, opened: Opened) -> None:
    verifier = opened(
        oidc_issuer="accounts.example", oidc_jwks_url=f"{clerk.url}/.well-known/jwks.json"
    )
    assert await gets_in(verifier, clerk.token(iss="accounts.example"))
    assert (clerk.discoveries, clerk.fetches) == (0, 1)
