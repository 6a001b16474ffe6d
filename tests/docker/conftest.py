"""Images for tests of containers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from growqr.config import load
from growqr.stacks.docker.engine import Engine
from growqr.stacks.docker.images import Images
from tests.containers import image, need_engine
from tests.e2e.conftest import checkout as checkout  # the product as a user meets it
from tests.fakes.gitea.serving import image_of


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    need_engine()


@pytest.fixture(scope="session")
def python_image() -> str:
    """Python and nothing else."""
    return image("python")


@pytest.fixture(scope="session")
def trivial_image() -> str:
    """An `opencode` that only says that it is well."""
    return image("trivial")


@pytest.fixture(scope="session")
def gitea_image() -> str:
    """The stand-in for Gitea, or the one that GROWQR_TEST_GITEA names."""
    return image_of() or image("gitea")


@pytest.fixture(scope="session")
def opencode_image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The real one, built as the product builds it."""
    settings = load(data=tmp_path_factory.mktemp("image"), database_url=None, runtime="docker")

    async def bring() -> None:
        engine = Engine()
        try:
            await Images(engine, settings).ensure(settings.opencode_image)
        finally:
            await engine.close()

    with ThreadPoolExecutor(1) as aside:  # whoever asks may be in a loop of its own
        aside.submit(lambda: asyncio.run(bring())).result()
    return settings.opencode_image
