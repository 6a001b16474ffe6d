"""Whose Gitea a user's repositories go to, and as whom we come: a server of the user's own, set up
from nothing through its container, or one server shared by all, where an admin's token opens.

What is learnt here lives in memory only: tokens are made anew, passwords are derived.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import aiohttp

from growqr import names
from growqr.config import Settings
from growqr.errors import InstanceError, Unavailable
from growqr.logs import log
from growqr.memory.gitea import Gitea, Refused, by_password, by_token

if TYPE_CHECKING:
    from growqr.stacks import Inside, Ran
    from growqr.store import Service, Store

ROLE: Final = "gitea"
OURS: Final = "growqr-"
"""What the names of our access tokens begin with."""

PASSING: Final = "passing-"
"""And those of tokens that are used once: whoever mirrors meanwhile must not take them away."""

SCOPES: Final = ["write:admin", "write:repository", "write:user"]
AT_REST: Final = ("absent", "paused", "stopped")
"""States from which a service comes back when it is wanted; from others it comes by itself."""

COMMAND: Final = 60.0
"""Seconds a command inside the container may take; each loads all of Gitea."""

_TOKEN = re.compile(r"^[0-9a-f]{40,}$", re.MULTILINE)
_log = log("mirror")


class Door(NamedTuple):
    """A Gitea as we may use it for one user. `server` tells it from others; `git`: for pushes.

    `folder`: where its repositories lie, when that is on this machine.
    """

    server: str
    url: str
    account: str
    client: Gitea
    git: str
    sudo: bool
    folder: Path | None = None

    def lost(self, repo: str) -> bool:
        """Whether its own folder is gone or no repository, whatever its server says."""
        if self.folder is None:
            return False
        place = self.folder / self.account.lower() / f"{repo.lower()}.git"
        return not all((place / part).exists() for part in ("HEAD", "objects", "refs"))


class Login(NamedTuple):
    """What the user types at Gitea's own page."""

    url: str
    name: str
    password: str

    def __repr__(self) -> str:
        return f"Login(url={self.url!r}, name={self.name!r}, password=…)"


class Servers(Protocol):
    """The one place where a user's repositories go to."""

    async def server(self, user_id: str) -> str | None:
        """What runs now, told from others; None: nothing does."""

    async def enter(self, user_id: str, http: aiohttp.ClientSession) -> Door | None:
        """As the user's account, which is there afterwards; None: not yet, ask again soon.

        Raises Unavailable, and InstanceError when it cannot be as things are.
        """

    def forget(self, user_id: str) -> None:
        """What was learnt for this user does not open any more."""

    async def login(self, user_id: str, http: aiohttp.ClientSession) -> Login | None:
        """Set the account's password to the derived one; None: not yet, ask again soon."""


class SharedServer:
    """One server for all users: its admin's token makes the accounts and pushes for each."""

    def __init__(self, settings: Settings, secret: bytes) -> None:
        assert settings.gitea_url
        assert settings.gitea_token
        self._url = settings.gitea_url.rstrip("/")
        self._token = settings.gitea_token.get_secret_value()
        self._secret = secret
        self._known: set[str] = set()

    async def server(self, user_id: str) -> str | None:
        """The one there is."""
        return self._url

    async def enter(self, user_id: str, http: aiohttp.ClientSession) -> Door | None:
        """Raises InstanceError where the account of that name is not ours."""
        client = Gitea(self._url, http, by_token(self._token))
        account = names.gitea_account(user_id)
        if user_id not in self._known:
            await self._have_account(client, user_id, account)
            self._known.add(user_id)
        # Gitea lets its admins push everywhere; nobody else gets into a private repository.
        return Door(self._url, self._url, account, client, by_password(account, self._token), True)

    def forget(self, user_id: str) -> None:
        """Have the next call look for the account again."""
        self._known.discard(user_id)

    async def login(self, user_id: str, http: aiohttp.ClientSession) -> Login | None:
        """Raises InstanceError, Unavailable."""
        door = await self.enter(user_id, http)
        assert door
        password = password_of(self._secret, user_id)
        await door.client.set_password(door.account, password)
        return Login(self._url, door.account, password)

    async def _have_account(self, client: Gitea, user_id: str, account: str) -> None:
        email = email_of(user_id)
        found = await client.email(account)
        if found is None:
            password = secrets.token_urlsafe(30) + "-aA1"  # nobody keeps it
            await client.create_account(account, email, password)
        elif found.lower() != email.lower():
            raise InstanceError(
                f"the account {account} of {self._url} is somebody else's (its address is not "
                f"{email}): rename it there, or use another server in GITEA_URL"
            )


class OwnServer:
    """A Gitea of the user's own, in a container: started when there is something to push."""

    def __init__(self, store: Store, settings: Settings, inside: Inside, secret: bytes) -> None:
        self._store, self._settings, self._inside = store, settings, inside
        self._secret = secret
        self._tokens: dict[str, tuple[int, str]] = {}  # user → (generation, token)

    async def server(self, user_id: str) -> str | None:
        """The run of the user's server, when it is up."""
        service = await self._store.services.get(user_id, ROLE)
        return _run_of(service) if service and _up(service) else None

    async def enter(self, user_id: str, http: aiohttp.ClientSession) -> Door | None:
        """Wants the service, and counts as its use."""
        service = await self._ready(user_id)
        if service is None or service.address is None:
            return None
        account = names.gitea_account(user_id)
        token = await self._token(service, account, http)
        client = Gitea(service.address, http, by_token(token))
        git = by_password(account, token)
        folder = self._settings.gitea_database(user_id).with_name("repositories")
        return Door(_run_of(service), client.url, account, client, git, False, folder)

    def forget(self, user_id: str) -> None:
        """The token was refused: the next call makes another one."""
        self._tokens.pop(user_id, None)

    async def login(self, user_id: str, http: aiohttp.ClientSession) -> Login | None:
        """Through its container only where the derived password was changed."""
        service = await self._ready(user_id)
        if service is None or service.address is None:
            return None
        account, password = names.gitea_account(user_id), password_of(self._secret, user_id)
        user = Gitea(service.address, http, by_password(account, password))
        if await user.email() is None:
            passing = _fresh_name(PASSING)
            await self._through_container(service, account, http, passing)
            await _drop(user, account, lambda name: name == passing)
        return Login(service.address, account, password)

    async def _ready(self, user_id: str) -> Service | None:
        """The service while it is up, with all it has to keep; otherwise it is on its way."""
        services = self._store.services
        service = await services.get(user_id, ROLE)
        if service is None or service.state in AT_REST:
            await services.want(user_id, ROLE, "ready")
            return None
        if not _up(service):
            return None
        if not self._settings.gitea_database(user_id).exists():
            # It would go on for a while with files that nobody can find any more.
            _log.warning("the folder of Gitea was removed: starting it anew", user_id=user_id)
            await services.want(user_id, ROLE, "stopped")
            return None
        await services.touch(user_id, ROLE)
        return service

    async def _token(self, service: Service, account: str, http: aiohttp.ClientSession) -> str:
        """A token of this run: from memory, by the derived password, or through the container."""
        kept = self._tokens.get(service.user_id)
        if kept and kept[0] == service.generation:
            return kept[1]
        assert service.address
        password = password_of(self._secret, service.user_id)
        user = Gitea(service.address, http, by_password(account, password))
        name = _fresh_name(OURS)
        if await user.email() is None:
            token = await self._through_container(service, account, http, name)
        else:
            token = await user.mint(account, name, SCOPES)
        # Tokens of former runs of ours go; those the user made stay.
        await _drop(user, account, lambda other: other.startswith(OURS) and other != name)
        self._tokens[service.user_id] = service.generation, token
        return token

    async def _through_container(
        self, service: Service, account: str, http: aiohttp.ClientSession, name: str
    ) -> str:
        """Have the account, the first admin of its server, with the derived password; a token."""
        assert service.address
        email = email_of(service.user_id)
        made = await self._gitea(
            service, "create", "--username", account, "--email", email, "--admin",
            "--random-password", "--must-change-password=false",
        )  # fmt: skip
        if made.code and "already exists" not in made.out + made.err:
            raise _failed("make the account", made)
        minted = await self._gitea(
            service, "generate-access-token", "--username", account,
            "--token-name", name, "--scopes", ",".join(SCOPES), "--raw",
        )  # fmt: skip
        found = _TOKEN.findall(minted.out)  # before it there may be lines of its log
        if minted.code or not found:
            raise _failed("make an access token", minted)
        token = str(found[-1])
        admin = Gitea(service.address, http, by_token(token))
        await admin.set_password(account, password_of(self._secret, service.user_id))
        return token

    async def _gitea(self, service: Service, *argv: str) -> Ran:
        name = names.service(ROLE, service.user_id)
        return await self._inside.run(name, ("gitea", "admin", "user", *argv), timeout=COMMAND)


def email_of(user_id: str) -> str:
    """The address of the user's commits, so that Gitea shows them as theirs."""
    return f"{user_id}@growqr.invalid"


def password_of(secret: bytes, user_id: str) -> str:
    """The derived password of the user's account, good for every rule a Gitea may have."""
    from growqr.identity import service_password

    return service_password(secret, user_id, "gitea-account", 0)[:40] + "-Gq9"


async def _drop(user: Gitea, account: str, gone: Callable[[str], bool]) -> None:
    """Delete the account's access tokens with such names, as far as its password opens."""
    try:
        for name, number in (await user.tokens(account)).items():
            if gone(name):
                await user.delete_token(account, number)
    except Refused as error:  # a second factor, say, that the user has set up
        _log.warning("access tokens stay", account=account, error=error.message)


def _fresh_name(begin: str) -> str:
    return begin + secrets.token_hex(6)


def _up(service: Service) -> bool:
    return service.desired == "ready" and service.state == "ready" and bool(service.address)


def _run_of(service: Service) -> str:
    from growqr.store import own_server

    return own_server(service.generation)


def _failed(what: str, ran: Ran) -> Unavailable:
    """What it wrote on stdout may be a password or a token: told is stderr alone."""
    lines = ran.err.strip().splitlines()
    return Unavailable(f"Gitea could not {what}: {lines[-1][:300] if lines else ran.code}")
