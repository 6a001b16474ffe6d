"""A real OpenCode on a scripted model, for the tests that need both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.fakes.chat_completions import ChatCompletions
from tests.opencode_server import OpenCodeServer


@pytest.fixture(scope="module")
def model() -> Iterator[ChatCompletions]:
    with ChatCompletions() as api:
        yield api


@pytest.fixture(scope="module")
def server(
    model: ChatCompletions, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenCodeServer]:
    started = OpenCodeServer(tmp_path_factory.mktemp("opencode"), model.url)
    yield started
    started.kill()


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
