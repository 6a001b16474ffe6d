"""A Gitea for tests of memory: the stand-in, or what GROWQR_TEST_GITEA names."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from growqr.config import Settings
from growqr.memory.servers import SCOPES
from growqr.stacks import gitea_spec
from tests.fakes.gitea.serving import CHOSEN, GiteaRuntime, program
from tests.mirrors import secret_in

OPERATOR = "operator"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Nobody can start a server of one's own where only somebody else's is given."""
    cannot = [item for item in items if "own" in getattr(item, "fixturenames", ())]
    if program() is None and cannot:
        items[:] = [item for item in items if item not in cannot]
        config.hook.pytest_deselected(items=cannot)


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[GiteaRuntime]:
    running = GiteaRuntime(tmp_path / "tmp")
    yield running
    await running.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the instance's secret."""
    return secret_in(tmp_path / "data")


@pytest.fixture
async def admin(runtime: GiteaRuntime, data: Path) -> tuple[str, str]:
    """A server of many users, and its admin's token: (url, token)."""
    if program() is None:
        return CHOSEN.rstrip("/"), os.environ["GITEA_TOKEN"]
    settings = Settings(data=data)
    spec = gitea_spec(settings, "u_operator", 1, secret_key="k" * 64, internal_token="i" * 64)
    status = await runtime.ensure(spec)
    name = f"{OPERATOR}-{secrets.token_hex(3)}"
    made = await runtime.run(
        spec.name,
        ("gitea", "admin", "user", "create", "--username", name, "--email", f"{name}@host.invalid",
         "--admin", "--random-password", "--must-change-password=false"),
        timeout=60,
    )  # fmt: skip
    assert made.code == 0, made.err
    minted = await runtime.run(
        spec.name,
        ("gitea", "admin", "user", "generate-access-token", "--username", name,
         "--scopes", ",".join(SCOPES), "--raw"),
        timeout=60,
    )  # fmt: skip
    assert status.address
    return status.address, minted.out.split()[-1]  # a real one may log before it
