"""Issuers and providers on loopback, and a clock that the test moves."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from growqr.config import Settings
from growqr.identity import Finished, KeyRing, OAuth, Verifier, open_providers, open_verifier
from growqr.store import Store
from tests.fakes.clerk import FakeClerk
from tests.fakes.oauth_provider import OAuthProvider


@pytest.fixture
def provider() -> Iterator[OAuthProvider]:
    """A GitHub and a Google."""
    with OAuthProvider() as running:
        yield running


class Clock:
    """Seconds since 1970, and a way to let them pass."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    @property
    def now(self) -> float:
        return self()

    @now.setter
    def now(self, now: float) -> None:
        self.ahead = now - time.time()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path, provider: OAuthProvider) -> Settings:
    return Settings.model_validate({"data": tmp_path, "port": 4321, **provider.settings()})


Replica = Callable[..., OAuth]


@pytest.fixture
def replica(store: Store, settings: Settings, clock: Clock) -> Replica:
    """Another process of the instance: it shares nothing but the store and the files."""

    def made(**changed: Any) -> OAuth:
        own, providers = changed.pop("clock", clock), changed.pop("providers", None)
        over = changed.pop("store", store)
        using = settings.model_copy(update=changed)
        return OAuth(using, over, KeyRing(using), providers or open_providers(using, own), own)

    return made


@pytest.fixture
def oauth(replica: Replica) -> OAuth:
    return replica()


def cookie() -> str:
    """As the route makes it."""
    return secrets.token_urlsafe(32)


async def signed_in(
    oauth: OAuth, provider: OAuthProvider, name: str = "github", **begun: Any
) -> Finished:
    """The whole way there and back, in one browser."""
    browser = cookie()
    url = await oauth.begin(name, cookie=browser, **{"return_to": "/", **begun})
    return await oauth.finish(name, cookie=browser, **provider.approve(url))


@pytest.fixture
def clerk(clock: Clock) -> Iterator[FakeClerk]:
    with FakeClerk(clock) as clerk:
        yield clerk


Opened = Callable[..., Verifier]


@pytest.fixture
def opened(tmp_path: Path, clerk: FakeClerk, clock: Clock) -> Opened:
    """A verifier over settings that name the fake Clerk and no other issuer."""

    def make(**chosen: Any) -> Verifier:
        usual = {"data": tmp_path, "local_issuer": "off"}
        if "oidc_issuer" not in chosen:
            usual["clerk_publishable_key"] = clerk.publishable_key
        return open_verifier(Settings.model_validate(usual | chosen), clock)

    return make
