"""Tokens of accounts: sealed to their row, fresh when asked for, each refresh token used once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from growqr.config import Settings
from growqr.errors import (
    BadRequest,
    Conflict,
    NotFound,
    SecretUnreadable,
    StoreUnavailable,
    Unavailable,
)
from growqr.identity import KeyRing, OAuth
from growqr.identity.oauth import Linked, Tokens
from growqr.identity.oauth.github import GitHub
from growqr.store import OPERATOR, Store, User
from tests.fakes.oauth_provider import OAuthProvider
from tests.fakes.proxy import FaultProxy
from tests.unit.identity.conftest import Clock, Replica, signed_in

pytestmark = pytest.mark.anyio

SOON = 3600 - 200.0
"""Seconds after which a token of an hour is to be renewed, and still works."""

TOKEN = "/login/oauth/access_token"


@pytest.fixture
def provider() -> object:
    """Whose tokens live an hour."""
    with OAuthProvider(token_seconds=3600) as running:
        yield running


async def linked(oauth: OAuth, provider: OAuthProvider, user: User, name: str = "github") -> str:
    """The access token of an account that was just linked."""
    finished = await signed_in(oauth, provider, name, user_id=user.id)
    await oauth.keep(user.id, name, finished.account, OPERATOR, linking=True)
    return finished.account.tokens.access


def renewals(provider: OAuthProvider, path: str = TOKEN) -> int:
    return sum(seen.body["grant_type"] == "refresh_token" for seen in provider.of(path))


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    give_up = time.monotonic() + seconds
    while True:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


async def test_an_account_is_one_users_and_shown_without_tokens(
    oauth: OAuth, provider: OAuthProvider, alice: User, bob: User
):
    finished = await signed_in(oauth, provider)
    assert await oauth.owner("github", finished.account) is None
    await oauth.keep(alice.id, "github", finished.account, OPERATOR)
    assert await oauth.owner("github", finished.account) == alice.id
    with pytest.raises(Conflict):
        await oauth.keep(bob.id, "github", finished.account, OPERATOR)
    shown = await oauth.accounts(alice.id)
    assert shown == [Linked("github", "ann", ("repo", "read:user", "user:email"))]
    assert await oauth.accounts(bob.id) == []
    assert "gho_" not in repr(finished)
    assert "ghr_" not in repr(finished)
    await oauth.unlink(alice.id, "github", OPERATOR)
    assert await oauth.accounts(alice.id) == []
    assert await oauth.access_token(alice.id, "github") is None
    with pytest.raises(NotFound):
        await oauth.unlink(alice.id, "github", OPERATOR)


async def test_ciphertexts_swapped_between_rows_do_not_open(
    oauth: OAuth, provider: OAuthProvider, store: Store, alice: User, bob: User
):
    """Attack 48: an error and an alert, never the other's token."""
    hers = await linked(oauth, provider, alice)
    provider.person.id, provider.person.login = 4712, "bob"
    his = await linked(oauth, provider, bob)
    one, other = await store.oauth.get(alice.id, "github"), await store.oauth.get(bob.id, "github")
    assert one
    assert other
    assert await store.oauth.swap(one, other.tokens, None)
    assert await store.oauth.swap(other, one.tokens, None)
    for user in (alice, bob):
        with capture_logs() as lines, pytest.raises(SecretUnreadable) as caught:
            await oauth.access_token(user.id, "github")
        assert [line["log_level"] for line in lines] == ["error"]
        assert lines[0]["user"] == user.id
        for token in (hers, his):
            assert token not in f"{lines}{caught.value.message}{caught.value.detail}"


async def test_no_token_travels_in_an_address_or_a_referrer(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    """Attack 46, at the wire: signing in, asking who it is, renewing."""
    for name in ("github", "google"):
        await linked(oauth, provider, alice, name)
    clock.ahead = SOON
    for name in ("github", "google"):
        await oauth.access_token(alice.id, name)
    assert len(provider.issued) == 7
    assert provider.leaks() == []
    for seen in provider.requests:
        assert "code" not in seen.query, seen.path
        assert "code_verifier" not in seen.query, seen.path


async def test_a_token_is_renewed_before_it_expires(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    first = await linked(oauth, provider, alice)
    clock.ahead = 3600 - 320
    assert await oauth.access_token(alice.id, "github") == first
    clock.ahead = SOON
    second = await oauth.access_token(alice.id, "github")
    assert second != first
    clock.ahead = 0
    assert await oauth.access_token(alice.id, "github") == second
    assert renewals(provider) == 1
    assert provider.grant_of(f"Bearer {second}")
    assert not provider.grant_of(f"Bearer {first}")


async def test_an_expired_token_is_renewed_again_and_again(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    tokens = {await linked(oauth, provider, alice)}
    for hours in range(1, 5):
        clock.ahead = provider.ahead = hours * 3600
        tokens.add(str(await oauth.access_token(alice.id, "github")))
    assert len(tokens) == 5
    assert provider.misuse == []


async def test_googles_refresh_token_stays_the_same(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    first = await linked(oauth, provider, alice, "google")
    for _ in range(3):
        clock.ahead += 3600
        assert await oauth.access_token(alice.id, "google") != first
    shown = {seen.body.get("refresh_token") for seen in provider.of("/token")[1:]}
    assert len(shown) == 1


async def test_replicas_that_ask_at_once_renew_once(
    replica: Replica, provider: OAuthProvider, alice: User, clock: Clock
):
    one, other = replica(), replica()
    for name, path in (("github", TOKEN), ("google", "/token")):
        before = await linked(one, provider, alice, name)
        clock.ahead = SOON
        provider.modes[path] = "slow 0.3"
        calls = [oauth.access_token(alice.id, name) for oauth in (one, other) * 5]
        tokens = set(await asyncio.gather(*calls))
        assert len(tokens) == 1
        assert before not in tokens
        assert renewals(provider, path) == 1
        clock.ahead = 0
        provider.modes.clear()
    assert provider.misuse == []


async def test_a_caller_that_goes_away_loses_no_token(
    replica: Replica, provider: OAuthProvider, alice: User, clock: Clock
):
    one, other = replica(), replica()
    first = await linked(one, provider, alice)
    clock.ahead = SOON
    provider.modes[TOKEN] = "slow 0.3"
    call = asyncio.create_task(one.access_token(alice.id, "github"))
    await until(lambda: renewals(provider) == 1)
    call.cancel()
    assert await other.access_token(alice.id, "github") not in (None, first)
    assert renewals(provider) == 1


async def test_keys_that_rotate_meanwhile_lose_no_token(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock, settings: Settings,
    store: Store,
):  # fmt: skip
    """The claim is sealed anew while the provider thinks."""
    from growqr.cli.keys import reseal
    from growqr.store import SEALED

    first = await linked(oauth, provider, alice)
    clock.ahead = SOON
    provider.modes[TOKEN] = "slow 0.5"
    call = asyncio.create_task(oauth.access_token(alice.id, "github"))
    await until(lambda: renewals(provider) == 1)
    ring = KeyRing(settings)
    ring.rotate()
    assert (await reseal(store, ring, SEALED[0]))["resealed"] == 1
    assert await call not in (None, first)
    clock.ahead = 0
    assert await oauth.access_token(alice.id, "github") == await call


async def test_a_database_away_meanwhile_loses_no_token(
    replica: Replica, provider: OAuthProvider, alice: User, clock: Clock, far_store: Store,
    proxy: FaultProxy,
):  # fmt: skip
    near, far = replica(), replica(store=far_store)
    first = await linked(near, provider, alice)
    clock.ahead = SOON
    provider.modes[TOKEN] = "slow 0.3"
    call = asyncio.create_task(far.access_token(alice.id, "github"))
    await until(lambda: renewals(provider) == 1)
    proxy.mode = "refuse"
    proxy.cut()
    await until(lambda: provider.answered.count(TOKEN) == 2)
    for _ in range(2):  # nor can what the provider said be written
        with pytest.raises(StoreUnavailable):
            await far_store.health()
    assert not call.done()
    proxy.mode = "pass"
    assert await call not in (None, first)
    clock.ahead = 0
    assert await near.access_token(alice.id, "github") == await call


class Never(GitHub):
    """Its replica is frozen in the middle of a renewal."""

    async def refresh(self, tokens: Tokens) -> Tokens:
        self.frozen = True
        await asyncio.Event().wait()
        return tokens


async def test_what_a_frozen_replica_has_begun_is_left_to_it_for_ten_minutes(
    replica: Replica, provider: OAuthProvider, alice: User, clock: Clock, settings: Settings
):
    github, other = Never.open(settings, clock), replica()
    assert github
    first = await linked(other, provider, alice)
    clock.ahead = SOON
    frozen = replica(providers={"github": github})
    call = asyncio.create_task(frozen.access_token(alice.id, "github"))
    await until(lambda: hasattr(github, "frozen"))
    for seconds in (60, 599):
        clock.ahead = SOON + seconds
        with pytest.raises(Unavailable, match="cut off"):
            await other.access_token(alice.id, "github")
    assert renewals(provider) == 0
    clock.ahead = SOON + 601
    assert await other.access_token(alice.id, "github") not in (None, first)
    assert provider.misuse == []
    call.cancel()


async def test_a_provider_away_is_asked_again_later(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    first = await linked(oauth, provider, alice)
    clock.ahead = SOON
    for mode in ("down", "cut", "html"):
        provider.modes[TOKEN] = mode
        with pytest.raises(Unavailable, match="GitHub does not answer"):
            await oauth.access_token(alice.id, "github")
    provider.modes.clear()
    assert await oauth.access_token(alice.id, "github") not in (None, first)
    assert provider.misuse == []


async def test_a_refresh_token_that_is_dead_is_not_shown_twice(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    first = await linked(oauth, provider, alice)
    provider.refreshing.clear()
    clock.ahead = SOON
    for _ in range(3):
        assert await oauth.access_token(alice.id, "github") == first
    clock.ahead = 3700
    assert await oauth.access_token(alice.id, "github") is None
    assert renewals(provider) == 1
    again = await linked(oauth, provider, alice)
    assert await oauth.access_token(alice.id, "github") == again


async def test_a_wrong_secret_of_ours_costs_nobody_the_account(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    await linked(oauth, provider, alice)
    clock.ahead = SOON
    secret, provider.client_secret = provider.client_secret, "another"
    with pytest.raises(BadRequest, match="client id and secret"):
        await oauth.access_token(alice.id, "github")
    provider.client_secret = secret
    assert await oauth.access_token(alice.id, "github")


async def test_tokens_that_live_a_minute_are_renewed_once_a_call(
    oauth: OAuth, provider: OAuthProvider, alice: User
):
    provider.token_seconds = 60
    first = await linked(oauth, provider, alice)
    assert await oauth.access_token(alice.id, "github") not in (None, first)
    assert renewals(provider) == 1


async def test_an_account_that_is_unlinked_meanwhile_stays_so(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    await linked(oauth, provider, alice)
    clock.ahead = SOON
    provider.modes[TOKEN] = "slow 0.3"
    call = asyncio.create_task(oauth.access_token(alice.id, "github"))
    await until(lambda: renewals(provider) == 1)
    await oauth.unlink(alice.id, "github", OPERATOR)
    assert await call is None
    assert await oauth.accounts(alice.id) == []


async def test_a_token_without_an_end_is_never_renewed(
    oauth: OAuth, provider: OAuthProvider, alice: User, clock: Clock
):
    provider.token_seconds = None
    first = await linked(oauth, provider, alice)
    clock.ahead = 10**8
    assert await oauth.access_token(alice.id, "github") == first


async def test_without_its_provider_a_token_serves_until_it_ends(
    replica: Replica, provider: OAuthProvider, alice: User, clock: Clock
):
    first = await linked(replica(), provider, alice)
    alone = replica(github_client_id=None)
    clock.ahead = SOON
    assert await alone.access_token(alice.id, "github") == first
    clock.ahead = 3700
    assert await alone.access_token(alice.id, "github") is None
