"""Brings what is in the local bare repositories to a Gitea, one way only: memory as
`growqr-memory`, project repositories under their names, with the same commit ids.

It works from what the server holds, as `git push` finds it: an emptied server is filled again, and
commits that somebody else put there are kept as a branch `set-aside-<commit>` before ours replace
them. What was removed here goes there too, where its tip is one of ours.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import Fenced, GrowqrError, InstanceError, Unavailable
from growqr.logs import log
from growqr.memory.gitea import Refused
from growqr.memory.heads import ASIDE, heads_of, over
from growqr.memory.paths import repository
from growqr.memory.push import drop, held, push, replace
from growqr.memory.servers import Door, Login, OwnServer, Servers, SharedServer

if TYPE_CHECKING:
    from growqr.stacks import Inside
    from growqr.store import Store

WORKERS: Final = 4
"""Users pushed for side by side, so that one slow server keeps nobody waiting."""

SOON, LATE = 1.0, 5.0
"""Seconds until a user whose server is on its way is looked at again: at first, and in the end."""

_POLL, _ROUND, _PAGE = 1.0, 300.0, 200
_MAX_PAUSE, _READ_DEADLINE, _LOGIN = 10.0, 30.0, 150.0
_log = log("mirror")

FolderOf = Callable[[Settings, str, str], Path]
"""(settings, user id, name) → the bare repository of a project."""


class Source(NamedTuple):
    """A bare repository here: its name, the one over there, and digest of branches and tags."""

    name: str
    remote: str
    folder: Path
    heads: str


class Mirror:
    """Keeps a Gitea in step with the repositories of this machine. Nothing runs when it is off."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        inside: Inside | None,
        holder: str,
        *,
        projects: FolderOf | None = None,
    ) -> None:
        """inside: the runtime, where each user has a server. projects: `growqr.repos.folder_of`."""
        self._store, self._settings, self._holder = store, settings, holder
        self._projects = projects
        self._servers = open_servers(store, settings, inside)
        self._hints = store.hints("mirror")
        self._pauses: dict[str, tuple[float, float]] = {}  # user → (length, until)
        self._deaf = asyncio.Event()

    async def run(self) -> None:
        """Push on hints (`mirror:<user>`), and whatever hints were lost. Ends by cancellation."""
        if self._servers is None:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hints.hear(self._deaf.set))
            group.create_task(self._round())
            if self._settings.gitea == "per_user":
                group.create_task(self._poll())
            for _ in range(WORKERS):
                group.create_task(self._hints.work(self._attempt))

    async def mirror(self, user_id: str) -> bool:
        """Push what the user's server lacks; True when it lacks nothing any more.

        False: it is not up yet, or another holder has the lease. Raises Unavailable, InstanceError
        when it cannot be, Fenced when the lease was lost meanwhile.
        """
        if self._servers is None:
            return True
        due = await self._due(self._servers, user_id)
        if not due:
            return True
        key, ttl = names.mirror(user_id), self._settings.lease_ttl
        holding = self._store.leases.holding
        async with holding(key, user_id=user_id, holder=self._holder, ttl=ttl) as fence:
            return fence is not None and await self._push_all(self._servers, fence, user_id, due)

    async def _due(self, servers: Servers, user_id: str) -> list[Source]:
        """Repositories that the server was not yet seen to hold as they are."""
        server = await servers.server(user_id)
        confirmed = await self._store.mirror.confirmed(user_id)
        due = []
        for source in await self._sources(user_id):
            seen = confirmed.get(source.name)
            same_server = seen is not None and server in (None, seen.server)
            if same_server and seen is not None and seen.heads == source.heads:
                continue
            # A server that runs is set up for memory even while that is empty.
            if source.heads or (source.name == names.MEMORY_REPO and server):
                due.append(source)
        return due

    async def _push_all(
        self, servers: Servers, fence: Fence, user_id: str, due: list[Source]
    ) -> bool:
        async with aiohttp.ClientSession(trust_env=False) as http:
            door = await servers.enter(user_id, http)
            if door is None:
                return False
            failed: GrowqrError | None = None
            for source in due:
                if not await self._store.leases.renew(fence, ttl=self._settings.lease_ttl):
                    raise Fenced(f"the lease {fence.key} was lost")
                try:
                    await self._push(door, source)
                except (Unavailable, InstanceError) as error:
                    if isinstance(error, Refused) and error.status_code == 401:
                        servers.forget(user_id)
                    failed = failed or error
                    continue  # one repository must not keep the others
                await self._store.mirror.confirm(
                    fence, source.name, server=door.server, heads=source.heads
                )
        if failed is not None:
            raise failed
        return True

    async def _push(self, door: Door, source: Source) -> None:
        """Everything to its repository over there, which is made where it is missing."""
        if door.lost(source.remote):  # a row without a folder takes no push
            await door.client.delete_repository(door.account, source.remote)
        await door.client.ensure_repository(door.account, source.remote, sudo=door.sudo)
        if not source.heads:
            return
        url = f"{door.url}/{door.account}/{source.remote}.git"
        await self._make_way(door, source, url)
        for ref in (await push(source.folder, url, door.git)).rejected:
            former = await self._set_aside(door, source, ref)
            await replace(source.folder, url, door.git, ref, former)

    async def _make_way(self, door: Door, source: Source, url: str) -> None:
        """Remove over there what was removed here, and what has the place of a new name of ours."""
        there = await held(source.folder, url, door.git)
        gone, foreign = await asyncio.to_thread(over, source.folder, there)
        for ref in foreign:
            gone[ref] = await self._set_aside(door, source, ref) or there[ref]
        if not gone:
            return
        try:
            await drop(source.folder, url, door.git, gone)
        except Unavailable as error:  # such as its default branch, which a Gitea keeps
            _log.warning("branches stay", repo=source.remote, reason=error.message)

    async def _set_aside(self, door: Door, source: Source, ref: str) -> str | None:
        """Keep what is over there under another branch; returns the commit, None for a tag."""
        kind, _, name = ref.removeprefix("refs/").partition("/")
        former = None
        if kind == "heads":
            former = await door.client.head(door.account, source.remote, name)
            if former is None:
                raise Unavailable(f"{ref} of {source.remote} has just been removed")
        branch = f"{ASIDE}{former[:10] if former else name.replace('/', '-')}"
        await door.client.branch_off(door.account, source.remote, branch, former or ref)
        _log.warning(
            "somebody else pushed: kept beside ours",
            account=door.account, repo=source.remote, ref=ref, branch=branch,
        )  # fmt: skip
        return former

    async def _sources(self, user_id: str) -> list[Source]:
        """The user's repositories as they are here; `heads` empty: nothing is in it."""
        places = [(names.MEMORY_REPO, names.MEMORY_REPO, repository(self._settings, user_id))]
        after = None
        while self._projects is not None:
            page = await self._store.repos.list(user_id, limit=_PAGE, after=after)
            for repo in page:
                folder = self._projects(self._settings, user_id, repo.name)
                # A project of memory's own name is kept apart from it here, too.
                key = f"repo {repo.name}" if repo.name == names.MEMORY_REPO else repo.name
                places.append((key, names.gitea_repo(repo.name), folder))
            if len(page) < _PAGE:
                break
            after = page[-1].name
        try:
            async with asyncio.timeout(_READ_DEADLINE):
                return await asyncio.to_thread(_read, places)
        except TimeoutError:
            raise Unavailable("the repositories did not answer in time") from None

    async def _poll(self) -> None:
        while True:
            try:
                for user_id in await self._store.mirror.unseen(_PAGE):
                    self._hints.add(user_id)
            except Unavailable:
                pass  # the next second asks again
            await asyncio.sleep(_POLL)

    async def _round(self) -> None:
        """At the start, now and then and when hints were lost everybody, by what is here alone."""
        while True:
            self._deaf.clear()
            after = ""
            try:
                while page := await self._store.mirror.users(after=after, limit=_PAGE):
                    for user_id in page:
                        self._hints.add(user_id)
                    after = page[-1]
            except Unavailable:
                pass
            with suppress(TimeoutError):
                async with asyncio.timeout(_ROUND):
                    await self._deaf.wait()

    async def _attempt(self, user_id: str) -> None:
        """Look at one user; a failure pauses this user alone, longer each time."""
        length, until = self._pauses.get(user_id, (0.0, 0.0))
        if time.monotonic() < until:
            return  # a timer looks again then
        try:
            if await self.mirror(user_id):
                self._pauses.pop(user_id, None)
            else:
                length = min(max(SOON, length * 1.5), LATE)
                self._later(user_id, length, length)
        except Fenced:
            self._later(user_id, 0.0, SOON)
        except Exception as error:  # noqa: BLE001 one user's server must not stop the others'
            length = min(max(SOON, length * 2), _MAX_PAUSE)
            known = isinstance(error, GrowqrError)
            _log.warning("not mirrored", user_id=user_id, error=str(error), exc_info=not known)
            self._later(user_id, length, length)
            # A server that does not answer may be gone: whoever looks after it looks at once.
            self._store.notifier.work(names.stack(user_id))

    def _later(self, user_id: str, length: float, delay: float) -> None:
        self._pauses[user_id] = (length, time.monotonic() + delay)
        asyncio.get_running_loop().call_later(delay + 0.01, self._hints.add, user_id)


def open_servers(store: Store, settings: Settings, inside: Inside | None) -> Servers | None:
    """Where repositories go to by the settings; None: nowhere. Raises InstanceError."""
    if settings.gitea == "off":
        return None
    from growqr.identity import instance_secret

    secret = instance_secret(settings)
    if settings.gitea == "shared":
        return SharedServer(settings, secret)
    assert inside is not None, "a Gitea per user is reached through the runtime"
    return OwnServer(store, settings, inside, secret)


async def login(store: Store, settings: Settings, inside: Inside | None, user_id: str) -> Login:
    """How the user signs in at Gitea's own page: its address, account and password.

    Starts the user's own server when it does not run, and sets the password to a derived one,
    whatever it was. Raises Unavailable when that takes too long, InstanceError when there is none.
    """
    servers = open_servers(store, settings, inside)
    if servers is None:
        raise InstanceError("there is no Gitea here: set GROWQR_GITEA to per_user or shared")
    async with aiohttp.ClientSession(trust_env=False) as http:
        give_up = time.monotonic() + _LOGIN
        while (found := await servers.login(user_id, http)) is None:
            if time.monotonic() > give_up:
                raise Unavailable(f"Gitea of {user_id} did not become ready in {_LOGIN:g} s")
            await asyncio.sleep(0.5)
    return found


def _read(places: list[tuple[str, str, Path]]) -> list[Source]:
    return [Source(*place, heads_of(place[2])) for place in places]
