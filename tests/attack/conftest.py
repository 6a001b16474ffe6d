"""An instance for the attacks, with one replica and two users of whom the first is its admin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from growqr.config import Settings
from growqr.instance.ports import Ports
from growqr.instance.ray_head import environment
from growqr.store import Store, User
from tests.attack.house import House, house


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """No limits: they have attacks of their own. Replicas are served with Serve's environment."""
    serve = environment(Ports(40000), tmp_path, tmp_path, warm=False)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", serve["FORWARDED_ALLOW_IPS"])
    limits = dict.fromkeys(("limit_strangers", "limit_requests", "limit_key_requests"), 0)
    return Settings.model_validate({"data": tmp_path / "data"} | limits)


@pytest.fixture
async def ours(
    settings: Settings, store: Store, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """Alice was here first. Nobody commits memory here, so no write waits for git."""
    monkeypatch.setattr("growqr.api.routes.memory.COMMIT_SECONDS", 0.02)
    async with house(settings, store) as made:
        yield made
