"""A turn with one tool, said → told, beside the calls and commits that it cannot do without."""

from __future__ import annotations

from typing import Any

from benchmarks import bare
from benchmarks.commits import Commits
from benchmarks.figures import Figure, alternate, timed
from benchmarks.setting import Setting
from growqr import names
from growqr.directory import Fence
from growqr.identity import agent_token, instance_secret
from growqr.models.offline import MODEL

ROUNDS = 100
COMMITS = 8
"""Durable writes of a turn with one tool: accept, claim, two model steps of two writes, its tool's
claim and result; the end of the turn is in its last reply's write."""


async def run(setting: Setting) -> list[Figure]:
    """One client over a stream that stands already."""
    anna = setting.person()
    await anna.ask("remember that Ann likes tea")
    actor = bare.start()
    gateway = await _gateway_call(setting, anna.user_id)
    async with Commits(setting.database) as commits:

        async def turn() -> float:
            async with anna.events() as events:

                async def whole() -> None:
                    await anna.say("what do you remember about tea?")
                    await setting.until(events, "turn.completed")

                return await timed(whole)

        async def floor() -> None:
            await anna.request("GET", "/users/me")
            await actor.pid.remote()
            for _ in range(2):
                await gateway()
            for _ in range(COMMITS):
                await commits.turn()

        ours, least = await alternate(ROUNDS, turn, lambda: timed(floor))
    bare.end(actor)
    reference = f"ingress + actor call + 2 gateway calls + {COMMITS} commits"
    return [Figure("turn with one tool, model delay 0", "ms", ours, reference, least)]


async def _gateway_call(setting: Setting, user_id: str) -> Any:
    """A call of the model gateway as the user's agent would make it."""
    settings = setting.instance.settings
    lease = await setting.store.leases.get(names.grow_agent(user_id))
    assert lease
    token = agent_token(instance_secret(settings), Fence(lease.key, lease.epoch))
    url = f"{settings.gateway_url}/anthropic/v1/messages"
    message = {"role": "user", "content": [{"type": "text", "text": "hello"}]}
    body = {"model": MODEL, "max_tokens": 100, "messages": [message], "stream": True}

    async def call() -> None:
        headers = {"authorization": f"Bearer {token}"}
        async with setting.http.post(url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()

    return call
