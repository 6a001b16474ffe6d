"""Images where they are needed: here already, built from our own recipe, or pulled.

What comes in once comes in for all who wait, and goes on when one of them stops waiting.
"""

from __future__ import annotations

import asyncio
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from growqr.config import Settings
from growqr.errors import ImageMissing
from growqr.logs import log
from growqr.stacks.base import Tell
from growqr.stacks.docker.engine import Absent, Engine, Refused, connect, ours
from growqr.stacks.fetch import fetch_tools, find_tools

RECIPES = Path(__file__).parents[3] / "deployments" / "images"
OWN = "growqr/opencode"
"""Images of this name are built here from RECIPES; any other is pulled."""

DEADLINE = 1800.0
"""Seconds for one image to come in."""

SILENCE = 300.0
"""Seconds in which the engine must say something about it."""

_log = log("stacks")


class Images:
    """The images of one engine."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._coming: dict[str, asyncio.Task[None]] = {}
        self._hear: dict[str, list[Tell]] = {}

    async def ensure(self, image: str, tell: Tell | None = None) -> None:
        """Have the image on the engine. Raises ImageMissing, EngineUnavailable."""
        if await self.there(image):
            return
        task = self._coming.get(image)
        if task is None:
            task = asyncio.create_task(self._bring(image), name=f"image {image}")
            self._coming[image] = task
            task.add_done_callback(lambda done: self._over(image, done))
        hear = self._hear.setdefault(image, [])
        if tell is not None:
            hear.append(tell)
        try:
            await asyncio.shield(task)
        finally:
            if tell is not None:
                hear.remove(tell)

    async def there(self, image: str) -> bool:
        """Whether the engine has it."""
        try:
            await self._engine.call(lambda c: c.api.inspect_image(image))
        except Absent:
            return False
        return True

    async def close(self) -> None:
        """Wait for nothing any more; what the engine has begun it may finish."""
        for task in list(self._coming.values()):
            task.cancel()

    def _over(self, image: str, task: asyncio.Task[None]) -> None:
        self._coming.pop(image, None)
        self._hear.pop(image, None)
        if not task.cancelled() and (error := task.exception()):
            _log.warning("image not had", image=image, error=str(error))

    async def _bring(self, image: str) -> None:
        loop = asyncio.get_running_loop()

        def tell(words: str) -> None:
            loop.call_soon_threadsafe(self._tell, image, words)

        work = _build if image.partition(":")[0] == OWN else _pull
        try:
            async with asyncio.timeout(DEADLINE):
                binary = await self._binary(tell) if work is _build else None
                await asyncio.to_thread(work, image, binary, tell)
        except TimeoutError:
            raise ImageMissing(f"the image {image} did not come within {DEADLINE:g} s") from None
        except Refused as error:
            raise ImageMissing(_remedy(image, error.message)) from None
        _log.info("image is there", image=image)

    def _tell(self, image: str, words: str) -> None:
        for tell in list(self._hear.get(image, ())):
            tell(words)

    async def _binary(self, tell: Tell) -> Path:
        """The OpenCode program that is packed. Raises ImageMissing."""
        found = find_tools(self._settings).opencode
        if found is None:
            tell("fetching OpenCode")
            problems = await asyncio.to_thread(fetch_tools, self._settings)
            found = find_tools(self._settings).opencode
            if found is None:
                raise ImageMissing(_remedy(self._settings.opencode_image, "; ".join(problems)))
        return found


def _remedy(image: str, reason: str) -> str:
    name = "OPENCODE_IMAGE" if "opencode" in image else "GITEA_IMAGE"
    what = "built" if image.partition(":")[0] == OWN else "pulled"
    return (
        f"the image {image} is not on the engine and cannot be {what}: {reason}; bring it there "
        f"with `docker pull` or `docker load`, or name another one in {name}"
    )


def _pull(image: str, _binary: Path | None, tell: Tell) -> None:
    with _own_client() as client:
        layers: dict[str, tuple[int, int]] = {}
        tell(f"pulling {image}")
        say = _at_most_once_a_second(tell)
        for line in client.api.pull(image, stream=True, decode=True):
            _complain(line)
            detail = line.get("progressDetail") or {}
            if line.get("status") == "Downloading" and detail.get("total"):
                layers[line["id"]] = detail["current"], detail["total"]
                done, whole = (sum(part) for part in zip(*layers.values(), strict=True))
                say(f"pulling {image}: {100 * done // whole} %")


def _build(image: str, binary: Path | None, tell: Tell) -> None:
    assert binary is not None
    tell(f"building {image}")
    say = _at_most_once_a_second(tell)
    with _own_client() as client, tempfile.TemporaryFile() as context:
        with tarfile.open(fileobj=context, mode="w") as tar:
            tar.add(RECIPES / "opencode" / "Dockerfile", "Dockerfile", filter=_plain)
            tar.add(binary.resolve(), "opencode", filter=_plain)
        context.seek(0)
        lines = client.api.build(
            fileobj=context, custom_context=True, tag=image, rm=True, forcerm=True, decode=True
        )
        for line in lines:
            _complain(line)
            if (step := line.get("stream", "")).startswith("Step "):
                say(f"building {image}: {step.split(' :')[0].lower()}")


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same context for the same content, so that the engine knows its own work again."""
    entry.uid = entry.gid = 0
    entry.mtime, entry.mode = 0, 0o755 if entry.name == "opencode" else 0o644
    entry.uname = entry.gname = ""
    return entry


def _complain(line: dict[str, Any]) -> None:
    if "error" in line:
        raise Refused(" ".join(str(line["error"]).split())[:400])


@contextmanager
def _own_client() -> Iterator[Any]:
    """A client for one long talk."""
    with ours():
        client = connect(timeout=SILENCE)
        try:
            yield client
        finally:
            client.close()


def _at_most_once_a_second(tell: Tell) -> Callable[[str], None]:
    last = 0.0

    def say(words: str) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            tell(words)

    return say
