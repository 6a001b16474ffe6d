"""Leases, turns and the journal under any order of events, held against a model of plain dicts.

One owner at a time, first come first served in each thread, each turn ends once, and the journal
counts 1, 2, 3 … whoever crashes in between.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from growqr import names
from growqr.directory import Fence
from growqr.errors import Conflict, Fenced
from growqr.states import TurnState
from growqr.store import Store, Turn, migrate
from tests.conftest import in_schema, new_user


@dataclass
class Known:
    """A turn as it must be."""

    thread: int
    state: str = "queued"
    epoch: int = 0
    claims: int = 0
    asked_to_end: bool = False


@dataclass
class Model:
    """The user's agents and turns as they must be; `events` counts what must be in the journal."""

    epoch: int = 0
    live: bool = False
    turns: dict[str, Known] = field(default_factory=dict)
    events: int = 0

    def first(self) -> str | None:
        """Whom a claim must get: what an earlier epoch left running, else the oldest that is free.

        Dicts keep their order, and that is the order in which messages came.
        """
        for turn_id, turn in self.turns.items():
            if turn.state == "running" and turn.epoch < self.epoch:
                return turn_id
        busy = {turn.thread for turn in self.turns.values() if turn.state == "running"}
        for turn_id, turn in self.turns.items():
            if turn.state == "queued" and turn.thread not in busy:
                return turn_id
        return None

    def running(self) -> list[str]:
        return [turn_id for turn_id, turn in self.turns.items() if turn.state == "running"]


class Core(RuleBasedStateMachine):
    """Every rule does one thing to the store and to the model, and both must agree."""

    store: Store
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.user = self.runner.run(new_user(self.store, "machine"))
        self.key = names.grow_agent(self.user.id)
        made = [self.store.threads.create(self.user.id, f"t{n}") for n in range(2)]
        self.threads = [self.runner.run(one).id for one in made]
        self.model.events = len(made)

    def do(self, call: Any) -> Any:
        return self.runner.run(_done(call))

    def fence(self, back: int = 0) -> Fence:
        return Fence(self.key, self.model.epoch - back)

    @rule(thread=st.integers(0, 1))
    def accept(self, thread: int) -> None:
        said = self.do(
            self.store.messages.accept(self.user.id, "x", thread_id=self.threads[thread])
        )
        self.model.turns[said.turn_id] = Known(thread)
        self.model.events += 1
        assert said.seq == self.model.events
        assert (said.lease.epoch, said.lease.live) == (self.model.epoch, self.model.live)

    @rule(ahead=st.integers(0, 2))
    def take(self, ahead: int) -> None:
        wanted = Fence(self.key, self.model.epoch + ahead)
        taken = self.do(self.store.leases.take(wanted, holder="h", ttl=600))
        assert taken == (ahead == 1 and not self.model.live)
        if taken:
            self.model.epoch, self.model.live = wanted.epoch, True

    @rule()
    @precondition(lambda self: self.model.live)
    def crash(self) -> None:
        """Its process is gone, and somebody saw it."""
        assert self.do(self.store.leases.release(self.fence()))
        self.model.live = False

    @rule()
    @precondition(lambda self: not self.model.live)
    def burn(self) -> None:
        assert self.do(self.store.leases.burn(Fence(self.key, self.model.epoch + 1)))
        self.model.epoch += 1

    @rule()
    def sleep(self) -> None:
        work = any(turn.state in ("queued", "running") for turn in self.model.turns.values())
        gone = self.do(self.store.leases.release_idle(self.fence(), self.user.id))
        assert gone == (not work)
        if gone:
            self.model.live = False

    @rule()
    @precondition(lambda self: self.model.epoch > 0)
    def claim(self) -> None:
        wanted = self.model.first()
        got: Turn | None = self.do(self.store.turns.claim(self.fence(), deadline=60))
        assert (got.id if got else None) == wanted
        if got is not None:
            turn = self.model.turns[got.id]
            turn.state, turn.epoch, turn.claims = "running", self.model.epoch, turn.claims + 1
            self.model.events += 1
            assert (got.epoch, got.claims) == (turn.epoch, turn.claims)

    @rule(data=st.data(), end=st.sampled_from(list(TurnState)[3:]))
    @precondition(lambda self: self.model.turns and self.model.epoch > 0)
    def finish(self, data: st.DataObject, end: TurnState) -> None:
        turn_id = data.draw(st.sampled_from(list(self.model.turns)))
        turn = self.model.turns[turn_id]
        mine = turn.state == "running" and turn.epoch == self.model.epoch
        assert self.do(self.store.turns.finish(self.fence(), turn_id, end)) == mine
        if mine:
            turn.state = end.value
            self.model.events += 1

    @rule(data=st.data())
    @precondition(lambda self: self.model.running())
    def append(self, data: st.DataObject) -> None:
        """A model call of a running turn is begun and journaled, by its owner alone."""
        turn_id = data.draw(st.sampled_from(self.model.running()))
        turn = self.do(self.store.turns.get(None, turn_id))
        if self.model.turns[turn_id].epoch < self.model.epoch:
            return  # it is for whoever claims it again
        step = self.do(self.store.steps.begin_model(self.fence(), turn, 1, "m", None))
        reply = {"content": [{"type": "text", "text": "x"}], "output": {}, "result": None}
        before = self.seq()
        self.do(self.store.steps.finish_model(self.fence(), turn, step, **reply))
        self.model.events += self.seq() - before
        assert self.seq() - before <= 1

    @rule(back=st.integers(1, 3))
    @precondition(lambda self: self.model.turns and self.model.epoch > 0)
    def write_late(self, back: int) -> None:
        """A former owner wakes up and goes on, in vain."""
        late, turn_id = self.fence(back), next(iter(self.model.turns))
        for call in (
            self.store.turns.claim(late, deadline=60),
            self.store.turns.finish(late, turn_id, TurnState.COMPLETED),
            self.store.turns.wait(late, turn_id),
        ):
            with pytest.raises(Fenced):
                self.do(call)

    @rule(data=st.data())
    @precondition(lambda self: self.model.turns)
    def cancel(self, data: st.DataObject) -> None:
        turn_id = data.draw(st.sampled_from(list(self.model.turns)))
        turn = self.model.turns[turn_id]
        if turn.state in ("completed", "failed"):
            with pytest.raises(Conflict):
                self.do(self.store.turns.cancel(self.user.id, turn_id))
            return
        self.do(self.store.turns.cancel(self.user.id, turn_id))
        if turn.state == "queued":
            turn.state = "cancelled"
            self.model.events += 1
        elif turn.state == "running":
            turn.asked_to_end = True

    @rule(data=st.data())
    @precondition(lambda self: self.model.turns)
    def give_up(self, data: st.DataObject) -> None:
        turn_id = data.draw(st.sampled_from(list(self.model.turns)))
        turn = self.model.turns[turn_id]
        self.do(self.store.turns.give_up(turn_id, {"code": "x", "message": "x"}))
        if turn.state in ("queued", "running"):
            turn.state, turn.asked_to_end = "failed", True
            self.model.events += 1

    @invariant()
    def the_store_agrees(self) -> None:
        lease = self.do(self.store.leases.get(self.key))
        assert (lease.epoch, lease.live) == (self.model.epoch, self.model.live)
        for turn_id, known in self.model.turns.items():
            turn = self.do(self.store.turns.get(self.user.id, turn_id))
            assert (turn.state, turn.claims) == (known.state, known.claims)
            assert turn.epoch == known.epoch
            assert turn.cancel_requested or not known.asked_to_end
            assert (turn.finished_at is not None) == (known.state in ENDS)

    def teardown(self) -> None:
        events = self.do(self.store.events.after(self.user.id, 0))
        assert [event.seq for event in events] == list(range(1, self.model.events + 1))
        ends = [event.turn_id for event in events if event.type.removeprefix("turn.") in ENDS]
        assert len(ends) == len(set(ends)), "each turn ends once"
        assert set(ends) == {t for t, known in self.model.turns.items() if known.state in ENDS}

    def seq(self) -> int:
        """The number of the newest event."""
        return int(self.do(self.store.events.bounds(self.user.id))[1])


ENDS = {"completed", "failed", "cancelled"}


async def _done(call: Any) -> Any:
    return await call


def test_any_order_of_events_keeps_the_core(postgres_url: str) -> None:
    schema = f"t_{secrets.token_hex(6)}"
    url = in_schema(postgres_url, schema)
    with (
        psycopg.connect(postgres_url, autocommit=True) as admin,
        asyncio.Runner() as runner,
    ):
        admin.execute(f"create schema {schema}".encode())
        runner.run(migrate(url))
        store = Store(url, 2)
        runner.run(store.open())
        try:
            machine = type("Machine", (Core,), {"store": store, "runner": runner})
            run_state_machine_as_test(machine, settings=SETTINGS)
        finally:
            runner.run(store.close())
            admin.execute(f"drop schema {schema} cascade".encode())


SETTINGS = settings(
    database=None,
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
