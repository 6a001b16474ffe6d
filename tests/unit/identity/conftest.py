"""A fake Clerk per test, and a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from growqr.config import Settings
from growqr.identity import Verifier, open_verifier
from tests.fakes.clerk import FakeClerk


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
