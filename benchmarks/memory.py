"""Memory of an idle agent after 1 and 20 turns, beside an actor on such a worker without work."""

from __future__ import annotations

import re

import psutil

from benchmarks import bare
from benchmarks.figures import Figure
from benchmarks.instance import Person
from benchmarks.setting import Setting
from growqr import names

PEOPLE, TURNS = 3, 20


async def run(setting: Setting) -> list[Figure]:
    """USS in MB: what would be free if the process ended."""
    people = [setting.person() for _ in range(PEOPLE)]
    actors = [bare.start() for _ in range(PEOPLE)]
    figures = []
    done = 0
    for turns in (1, TURNS):
        for person in people:
            for _ in range(turns - done):
                await person.ask("remember that Ann likes tea")
        done = turns
        agents = [_unshared(await _pid(setting, person)) for person in people]
        floor = [_unshared(await actor.pid.remote()) for actor in actors]
        name = f"memory of an idle agent, {turns} turn{'s' * (turns > 1)}"
        figures.append(Figure(name, "MB", agents, "bare named actor", floor))
    for actor in actors:
        bare.end(actor)
    return figures


async def _pid(setting: Setting, person: Person) -> int:
    lease = await setting.store.leases.holder(names.grow_agent(person.user_id))
    found = re.search(r"pid (\d+)", (lease and lease.holder) or "")
    assert found, lease
    return int(found[1])


def _unshared(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().uss / 2**20)
