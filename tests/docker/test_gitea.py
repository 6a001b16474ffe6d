"""A user's Gitea as a container: set up from nothing behind all walls, and filled again after loss.

The image is the stand-in's, or the one that GROWQR_TEST_GITEA names.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from growqr import names
from growqr.memory.gitea import Gitea, by_password
from growqr.store import Store, User
from tests.containers import Bench, bench, docker
from tests.fakes.gitea.serving import image_of
from tests.gits import own_refs
from tests.mirrors import MINE, Place, at_work, done, place, secret_in, until

pytestmark = [pytest.mark.anyio, pytest.mark.docker]


@pytest.fixture(scope="session")
def gitea_image() -> str:
    given = image_of()
    if given is None:
        folder = Path(__file__).parents[1] / "fakes/gitea"
        given = "growqr-test/gitea"
        docker("build", "--quiet", "--tag", given, str(folder), seconds=300)
    return given


@pytest.fixture
async def ours(tmp_path: Path, gitea_image: str) -> AsyncIterator[Bench]:
    data = secret_in(tmp_path / "data")
    async with bench(data, gitea="per_user", gitea_image=gitea_image, lease_ttl=2.0) as made:
        yield made


@pytest.fixture
def here(store: Store, ours: Bench) -> Place:
    return place(store, ours.settings, ours.runtime())


async def test_memory_is_in_a_container_behind_all_walls(
    here: Place, ours: Bench, alice: User
) -> None:
    await here.write(alice, "one", "two")
    async with at_work(here):
        await here.in_step(alice)
        (name,) = ours.containers()
        (seen,) = json.loads(docker("inspect", name))
        host = seen["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not seen["Config"]["User"].startswith(("0", "root"))
        kept = {mount["Source"] for mount in seen["Mounts"] if mount["Type"] == "bind"}
        folder = str(here.settings.gitea_folder(alice.id))
        assert kept
        assert all(source.startswith(folder) for source in kept)
        key = await here.login(alice)
        assert key.password not in json.dumps(seen)
        async with aiohttp.ClientSession() as http:
            user = Gitea(key.url, http, by_password(key.name, key.password))
            assert await user.has_repository(key.name, MINE)


async def test_its_folder_and_its_container_come_and_go_under_load(
    here: Place, ours: Bench, alice: User
) -> None:
    await here.write(alice, "one")
    async with at_work(here):
        before = (await here.in_step(alice))["refs/heads/main"]
        folder = here.settings.gitea_folder(alice.id)
        writing = asyncio.create_task(here.write(alice, *(f"more-{n}" for n in range(30))))
        await asyncio.to_thread(shutil.rmtree, folder)
        await writing
        await here.in_step(alice)
        docker("rm", "--force", "--volumes", *ours.containers())
        await here.write(alice, "after")
        found = await here.in_step(alice)
        assert found == own_refs(here.memory(alice))
        assert found["refs/heads/main"] != before
        assert await done(here, alice)


async def test_a_removed_user_leaves_no_volume(here: Place, ours: Bench, alice: User) -> None:
    before = set(docker("volume", "ls", "--quiet").split())
    await here.write(alice, "one")
    async with at_work(here):
        await here.in_step(alice)
        await here.store.services.want(alice.id, "gitea", "stopped")
        await here.runtime.remove(names.service("gitea", alice.id))

        async def gone() -> bool:
            return not ours.containers()

        await until(gone)
    left = set(docker("volume", "ls", "--quiet").split()) - before
    assert not [name for name in left if len(name) == 64 and not used(name)]


def used(volume: str) -> bool:
    """Whether a container has it: then it is somebody else's."""
    return bool(docker("ps", "--all", "--quiet", "--filter", f"volume={volume}"))
