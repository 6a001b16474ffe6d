"""Answers: their shapes, and how they are made from what the store knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from growqr import names
from growqr.directory import Lease
from growqr.errors import NotFound
from growqr.events import Event
from growqr.states import AgentState, StepState, TurnState, agent_state
from growqr.store import (
    Budget,
    MemoryCommit,
    MemoryFile,
    Message,
    Service,
    Step,
    Store,
    SubAgent,
    Thread,
    Turn,
    User,
)

T = TypeVar("T")
Activity = Literal["idle", "thinking", "tool", "waiting"]


class Page(BaseModel, Generic[T]):
    """A part of a list; without `next_cursor` it is the last."""

    data: list[T]
    next_cursor: str | None = None


class UserView(BaseModel):
    """Who you are."""

    id: str
    name: str
    issuer: str
    role: Literal["member", "admin"]
    email: str | None
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> UserView:
        return cls.model_validate(user._asdict())


class ServiceView(BaseModel):
    """One service of the stack; `reason` and `retry_at` where it cannot be had.

    `decision`: what becomes of it since it ended by itself, until that is done.
    """

    state: str
    desired: str = "stopped"
    generation: int = 0
    reason: str | None = None
    retry_at: datetime | None = None
    decision: Literal["open", "restart", "wait", "leave"] | None = None

    @classmethod
    def of(cls, service: Service | None) -> ServiceView:
        return cls.model_validate(service._asdict()) if service else cls(state="absent")


class StackView(BaseModel):
    """The user's pair of services."""

    opencode: ServiceView
    gitea: ServiceView


class WorkspaceView(BaseModel):
    """A user's workspace: where the sub-agents work."""

    id: str
    user_id: str
    opencode: ServiceView


class SubAgentView(BaseModel):
    """A sub-agent. `state`: idle, working, waiting or stopped.

    `turn_id`: the task it works on, else its newest. `parent`: the actor that made it, null where
    that is no longer known.
    """

    id: str
    type: str
    channel_id: str
    thread_id: str
    state: str
    created_at: datetime
    turn_id: str | None
    parent: str | None

    @classmethod
    def of(cls, agent: SubAgent) -> SubAgentView:
        return cls.model_validate(agent._asdict() | {"state": agent.state})


class QueuedView(BaseModel):
    """A task that will be done, whatever dies."""

    turn_id: str
    thread_id: str


class EventView(BaseModel):
    """Something that happened; `seq` counts the user's events without a gap."""

    seq: int
    type: str
    time: datetime
    thread_id: str | None
    turn_id: str | None
    step_id: str | None
    actor: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventView:
        return cls.model_validate(event.envelope())


class EntryView(BaseModel):
    """One thing in a folder: `type` file, dir or other, `size` in bytes."""

    name: str
    type: str
    size: int


class OpenTurn(BaseModel):
    """A turn that has not ended."""

    id: str
    thread_id: str
    state: TurnState


class ModelView(BaseModel):
    """A model; the provider `scripted` is the built-in offline one."""

    provider: str
    name: str


class AgentView(BaseModel):
    """The user's Grow Agent; `seq` is the event this view stands for.

    `model`: the one that answered last, null before the first answer.
    """

    user_id: str
    state: AgentState
    activity: Activity
    epoch: int
    seq: int
    unfinished: list[OpenTurn]
    stack: StackView
    model: ModelView | None


class ProvisionView(BaseModel):
    """What is there for a user now."""

    agent: AgentView
    stack: StackView


class BootstrapView(ProvisionView):
    """The same with the user."""

    user: UserView


class AcceptedView(BaseModel):
    """A message that cannot be lost any more."""

    message_id: str
    turn_id: str
    thread_id: str
    seq: int


class ThreadView(BaseModel):
    """A conversation. `archived_at`: it is put away. `sub_agent_id`: whose channel it is.

    `last_at`: when something was said in it last. `origin`: where it was begun; null: by growqr.
    """

    id: str
    kind: Literal["master", "channel", "thread"]
    title: str
    created_at: datetime
    archived_at: datetime | None
    last_at: datetime
    origin: Literal["web", "api"] | None
    sub_agent_id: str | None

    @classmethod
    def of(cls, thread: Thread) -> ThreadView:
        return cls.model_validate(thread._asdict())


class MessageView(BaseModel):
    """A message: a list of content blocks."""

    id: str
    seq: int
    turn_id: str
    role: Literal["user", "assistant", "tool"]
    content: list[dict[str, Any]]
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> MessageView:
        return cls.model_validate(message._asdict())


class StepView(BaseModel):
    """One model call or one tool call."""

    id: str
    kind: Literal["model", "tool", "prompt"]
    name: str
    state: StepState
    position: int
    tool_use_id: str | None
    input: Any
    output: Any
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, step: Step) -> StepView:
        fields = step._asdict()
        if step.kind == "model":
            fields["input"] = None  # a model's input is the conversation again, step by step
        return cls.model_validate(fields)


class TurnView(BaseModel):
    """Everything done about one message; `seq` is that of the event that told of it."""

    id: str
    thread_id: str
    seq: int
    state: TurnState
    waiting: str | None
    steps: list[StepView]
    result: str | None
    error: dict[str, Any] | None
    usage: dict[str, int]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class FileView(BaseModel):
    """A memory file in a list. `commit` is git's id, absent while the write is `pending`."""

    path: str
    size: int
    commit: str | None
    pending: bool
    updated_at: datetime

    @classmethod
    def of(cls, file: MemoryFile) -> FileView:
        return cls.model_validate(file._asdict())


class ContentView(BaseModel):
    """A memory file; `content` is null once it is removed. `version` is its newest write."""

    path: str
    content: str | None
    version: str
    commit: str | None
    pending: bool


class FoundView(FileView):
    """A file that a search found, with the place that matched."""

    snippet: str


class CommitView(BaseModel):
    """One accepted write of a memory file."""

    id: str
    number: int
    path: str
    message: str
    author: str
    at: datetime
    commit: str | None
    removed: bool

    @classmethod
    def of(cls, row: MemoryCommit) -> CommitView:
        fields = row._asdict() | {"commit": row.commit_id, "removed": row.content is None}
        return cls.model_validate(fields)


class VersionView(CommitView):
    """One accepted write with what it made of the file. No content: there was no file."""

    content: str | None
    previous: str | None

    @classmethod
    def beside(cls, row: MemoryCommit, previous: str | None) -> VersionView:
        fields = CommitView.of(row).model_dump()
        return cls(**fields, content=row.content, previous=previous)


async def stack_view(store: Store, user_id: str) -> StackView:
    """The services of a user's stack as last seen; nothing is asked but the store."""
    roles = {role: await store.services.get(user_id, role) for role in ("opencode", "gitea")}
    return StackView(**{role: ServiceView.of(found) for role, found in roles.items()})


async def agent_view(store: Store, user_id: str) -> AgentView:
    """The agent as the store knew it at one moment; no actor is asked."""
    async with store.snapshot():
        _, seq = await store.events.bounds(user_id)
        turns = await store.turns.unfinished(names.grow_agent(user_id))
        lease = await lease_of(store, user_id)
        model = await store.usage.newest_model(user_id)
        return AgentView(
            user_id=user_id,
            state=agent_state(live=lease.live, work=bool(turns)),
            activity=await _activity(store, turns),
            epoch=lease.epoch,
            seq=seq,
            unfinished=[OpenTurn.model_validate(turn._asdict()) for turn in turns],
            stack=await stack_view(store, user_id),
            model=ModelView.model_validate(model._asdict()) if model else None,
        )


async def lease_of(store: Store, user_id: str) -> Lease:
    """The lease of the user's Grow Agent."""
    key = names.grow_agent(user_id)
    return await store.leases.get(key) or Lease(key, 0, False)


async def user_view(store: Store, user_id: str) -> UserView:
    """Somebody who is known. Raises NotFound."""
    if (user := await store.users.get(user_id)) is None:
        raise NotFound("there is no such user")
    return UserView.of(user)


async def turn_view(store: Store, turn: Turn) -> TurnView:
    """A turn with its steps and what it used."""
    fields = turn._asdict() | {
        "steps": [StepView.of(step) for step in await store.steps.of(turn.id)],
        "usage": await store.usage.of_turn(turn.id),
    }
    return TurnView.model_validate(fields)


async def _activity(store: Store, turns: list[Turn]) -> Activity:
    """From the newest step of the turn under way."""
    for turn in turns:
        if turn.state == TurnState.RUNNING:
            steps = await store.steps.of(turn.id)
            at_tool = steps and steps[-1].kind == "tool" and steps[-1].state == StepState.INTENT
            return "tool" if at_tool else "thinking"
    return "waiting" if any(turn.state == TurnState.WAITING for turn in turns) else "idle"


class BudgetView(BaseModel):
    """What was spent today (UTC) in one unit: tokens, usd or seconds of model time.

    `limit` counts what was granted; null: there is none.
    """

    scope: str
    unit: Literal["tokens", "usd", "seconds"]
    limit: float | None
    spent: float

    @classmethod
    def of(cls, budget: Budget) -> BudgetView:
        return cls.model_validate(budget._asdict() | {"limit": budget.limit or None})
