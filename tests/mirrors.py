"""An instance's mirror at work for tests: its store, its runtime of services, and its users."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from growqr import names
from growqr.config import Settings
from growqr.memory import Login, Mirror, Projection, login, repository
from growqr.memory.servers import password_of
from growqr.repos import folder_of
from growqr.stacks import Reconciler, ServiceSpec, gitea_spec
from growqr.store import Service, Store, User
from tests.gits import bare, own_refs, refs

MINE, SECRET = names.MEMORY_REPO, "5a" * 32


def secret_in(data: Path) -> Path:
    """The data folder with an instance's secret."""
    (data / "secrets").mkdir(parents=True)
    (data / "secrets/instance.key").write_text(SECRET)
    return data


@dataclass
class Place:
    """One instance's mirror, and what it works with."""

    store: Store
    settings: Settings
    runtime: Any
    mirror: Mirror

    def memory(self, user: User) -> Path:
        return repository(self.settings, user.id)

    async def write(self, user: User, *facts: str) -> None:
        for fact in facts:
            await self.store.memory.accept(
                user.id, f"notes/{fact}.md", fact, message=fact, author="grow-agent",
                operation_id=fact,
            )  # fmt: skip
        await Projection(self.store, self.settings, "host:test").project(user.id)

    async def project(self, user: User, name: str, *messages: str) -> Path:
        await self.store.repos.create(user.id, name)
        return bare(folder_of(self.settings, user.id, name), *messages)

    async def login(self, user: User) -> Login:
        return await login(self.store, self.settings, self.runtime, user.id)

    async def seen(self, user: User) -> Service | None:
        return await self.store.services.get(user.id, "gitea")

    async def key(self, user: User) -> Login | None:
        """The user's way in, while their server is up; nothing is started for it."""
        account = names.gitea_account(user.id)
        password = password_of(bytes.fromhex(SECRET), user.id)
        if self.settings.gitea_url:
            return Login(self.settings.gitea_url, account, password)
        service = await self.seen(user)
        up = service and service.state == "ready" and service.address
        return Login(up, account, password) if up else None

    async def in_step(self, user: User, repo: str = MINE) -> dict[str, str]:
        """Wait until the user's server holds what is here, ids and all; what it holds."""
        folder = self.memory(user) if repo == MINE else folder_of(self.settings, user.id, repo)
        found: dict[str, str] = {}

        async def same() -> bool:
            key = await self.key(user)
            with suppress(subprocess.CalledProcessError):
                found.clear()
                there = await asyncio.to_thread(refs, key, key.name, repo) if key else {}
                found.update(there)
            return own_refs(folder).items() <= found.items()

        assert own_refs(folder)
        await until(same)
        return found


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


def place(store: Store, settings: Settings, runtime: Any) -> Place:
    mirror = Mirror(store, settings, runtime, "host:test", projects=folder_of)
    return Place(store, settings, runtime, mirror)


@asynccontextmanager
async def at_work(here: Place) -> AsyncIterator[None]:
    """What a Host does for its users' servers."""

    def spec(user_id: str, generation: int) -> ServiceSpec:
        keys = {"secret_key": "k" * 64, "internal_token": "i" * 64}
        return gitea_spec(here.settings, user_id, generation, **keys)

    reconciler = Reconciler(here.store, here.runtime, {"gitea": spec}, holder="host:test", ttl=2.0)
    tasks = [asyncio.create_task(reconciler.run()), asyncio.create_task(here.mirror.run())]
    try:
        yield
        assert not [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def done(here: Place, user: User) -> bool:
    async def mirrored() -> bool:
        return await here.mirror.mirror(user.id)

    await until(mirrored)
    return True
