"""The store: the only room that speaks SQL, and the only truth.

    engine.py     connections, deadlines, the fenced write
    queries/      every statement by name; _fenced.sql is the one form of an owner's write
    migrate.py    schema.sql and the numbered migrations
    notifier.py   hints to listeners, outside transactions; listen.py hears them
    hints.py      whose work was hinted at, one user at a time
    retention.py  what is old enough goes
    users leases events threads messages turns steps memory ledger     one module per noun
    admission sign_ins api_keys invites audit                          who comes in, and its log

Every call ends within 2.5 s, with its result or with StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.store.admission import Admissions, Admitted, Counted, Limits, Way
from growqr.store.api_keys import ApiKey, ApiKeys
from growqr.store.audit import OPERATOR, Act, Audit, Entry
from growqr.store.budgets import Budget, BudgetLimits, Budgets
from growqr.store.decisions import Decision, DecisionKind, Decisions
from growqr.store.engine import Connection, Database
from growqr.store.events import Events
from growqr.store.hints import Hints
from growqr.store.invites import INVITE_TTL, Invite, Invites, OpenInvite
from growqr.store.leases import Holder, Leases, Owner
from growqr.store.ledger import Idempotency, Slot, Usage
from growqr.store.listen import listen
from growqr.store.memory import Memory, MemoryCommit, MemoryFile
from growqr.store.messages import Accepted, Done, Message, Messages
from growqr.store.migrate import migrate, version
from growqr.store.mirror import Confirmed, Mirrored, own_server
from growqr.store.notifier import DELTAS, EVENTS, REVOKED, WORK, Notifier
from growqr.store.oauth import OAuth, OAuthAccount, OAuthState
from growqr.store.repos import Repo, Repos
from growqr.store.retention import Retention
from growqr.store.sealed import SEALED, Sealed, SealedColumn, SealedRow
from growqr.store.services import Service, Services
from growqr.store.sign_ins import Browser, SignIn, SignIns
from growqr.store.steps import Claim, Step, Steps
from growqr.store.sub_agents import SubAgent, SubAgents
from growqr.store.supervision import (
    DueTimer,
    OpenDecision,
    OpenLease,
    OpenService,
    OpenTurn,
    Snapshot,
    Supervised,
)
from growqr.store.threads import Origin, Thread, Threads
from growqr.store.timers import Timer, Timers
from growqr.store.turns import Turn, Turns
from growqr.store.users import Role, User, Users

__all__ = [
    "DELTAS",
    "EVENTS",
    "INVITE_TTL",
    "OPERATOR",
    "REVOKED",
    "SEALED",
    "WORK",
    "Accepted",
    "Act",
    "Admitted",
    "ApiKey",
    "Browser",
    "Budget",
    "BudgetLimits",
    "Claim",
    "Confirmed",
    "Connection",
    "Counted",
    "Decision",
    "DecisionKind",
    "Done",
    "DueTimer",
    "Entry",
    "Holder",
    "Invite",
    "Limits",
    "MemoryCommit",
    "MemoryFile",
    "Message",
    "Notifier",
    "OAuthAccount",
    "OAuthState",
    "OpenDecision",
    "OpenInvite",
    "OpenLease",
    "OpenService",
    "OpenTurn",
    "Origin",
    "Owner",
    "Repo",
    "Role",
    "SealedColumn",
    "SealedRow",
    "Service",
    "SignIn",
    "Slot",
    "Snapshot",
    "Step",
    "Store",
    "SubAgent",
    "Thread",
    "Timer",
    "Turn",
    "User",
    "Way",
    "migrate",
    "open_store",
    "own_server",
    "version",
]


class Store:
    """All nouns over one small pool. Connects on first use; `max_idle` seconds later lets go.

    `name` is what operators see of its connections (application_name), `sub_agents` how many of a
    user's may live at once.
    """

    def __init__(
        self, url: str, max_connections: int, *, max_idle: float = 60.0, name: str = "growqr",
        sub_agents: int = 8,
    ) -> None:  # fmt: skip
        self._db = Database(url, max_connections, max_idle=max_idle, name=name)
        self.users = Users(self._db)
        self.leases = Leases(self._db)
        self.events = Events(self._db)
        self.retention = Retention(self._db)
        self.threads = Threads(self._db)
        self.messages = Messages(self._db)
        self.turns = Turns(self._db)
        self.steps = Steps(self._db)
        self.decisions = Decisions(self._db)
        self.sub_agents = SubAgents(self._db, sub_agents)
        self.services = Services(self._db)
        self.memory = Memory(self._db)
        self.repos = Repos(self._db)
        self.mirror = Mirrored(self._db)
        self.timers = Timers(self._db)
        self.supervised = Supervised(self._db)
        self.usage = Usage(self._db)
        self.budgets = Budgets(self._db)
        self.oauth = OAuth(self._db)
        self.sealed = Sealed(self._db)
        self.idempotency = Idempotency(self._db)
        self.admissions = Admissions(self._db)
        self.sign_ins = SignIns(self._db)
        self.api_keys = ApiKeys(self._db)
        self.invites = Invites(self._db)
        self.audit = Audit(self._db)

    @property
    def notifier(self) -> Notifier:
        """Hints to other processes."""
        return self._db.notifier

    async def open(self) -> None:
        """Make the store usable; connects to nothing yet."""
        await self._db.open()

    async def close(self) -> None:
        """Let every connection go."""
        await self.audit.close()
        await self._db.close()

    async def health(self) -> None:
        """Raises StoreUnavailable unless Postgres answers."""
        await self._db.all("last_seqs", dict, users=[])

    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """What is read inside is one state of the truth, for a view that carries its `seq`."""
        return self._db.snapshot()

    async def migrate(self) -> int:
        """Bring the schema to this code's version and return it."""
        return await migrate(self._db.url)

    def listen(self, *channels: str) -> AsyncGenerator[tuple[str, str], None]:
        """(channel, payload) of notifications, on a connection of its own."""
        return listen(self._db.url, *channels)

    def hints(self, kind: str) -> Hints:
        """The users for whom `<kind>:<user>` is notified as work."""
        return Hints(kind, self.listen(WORK))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def open_store(
    settings: Settings, max_connections: int = 8, *, max_idle: float = 60.0, name: str = "growqr"
) -> Store:
    """The store of this instance, not yet opened."""
    if settings.database_url is None:
        raise InstanceError("DATABASE_URL is not set and no instance has written its settings")
    url = settings.database_url.get_secret_value()
    most = settings.limit_sub_agents
    return Store(url, max_connections, max_idle=max_idle, name=name, sub_agents=most)
