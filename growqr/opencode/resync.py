"""What the server itself knows of a run: asked after every (re)connect and whenever in doubt."""

from __future__ import annotations

from typing import Literal

from growqr.opencode import policy
from growqr.opencode.client import OpenCode
from growqr.opencode.events import Json, Progress
from growqr.opencode.ids import PromptIds
from growqr.opencode.transcript import Transcript

Standing = Literal["finished", "busy", "idle"]
"""idle: nothing works on it, whether it was never taken or was interrupted."""


async def look(
    client: OpenCode, ids: PromptIds, transcript: Transcript
) -> tuple[Standing, list[Progress]]:
    """Where the run stands, and what of it was not told yet.

    The status is asked first: a run that ends between the two calls is then seen as finished.
    """
    busy = await client.busy(ids)
    told = transcript.read(await client.messages_since(ids))
    if transcript.finished:
        return "finished", told
    return ("busy" if busy else "idle"), told


async def answer_pending(client: OpenCode, ids: PromptIds, sessions: set[str]) -> list[Progress]:
    """Permission requests and questions that wait in these sessions, answered by policy."""
    told = []
    for request in await client.permissions(ids.directory):
        if request["sessionID"] in sessions:
            told.append(await answer(client, ids, request))
    for question in await client.questions(ids.directory):
        if question["sessionID"] in sessions:
            told.append(await refuse_question(client, ids, question))
    return told


async def answer(client: OpenCode, ids: PromptIds, request: Json) -> Progress:
    """One permission request, by policy."""
    name, patterns = str(request["permission"]), ", ".join(map(str, request["patterns"]))
    allowed = policy.allows(name)
    if allowed:
        await client.answer(ids.directory, request["id"], "once")
    else:
        await client.answer(ids.directory, request["id"], "reject", policy.REFUSAL)
    said = "allowed once" if allowed else "not allowed"
    return Progress(
        "notice", request["id"], "permission", "once" if allowed else "reject",
        output=f"{name} was {said}: {patterns[:500]}", title=name,
    )  # fmt: skip


async def refuse_question(client: OpenCode, ids: PromptIds, question: Json) -> Progress:
    """A question to a person; none is there."""
    await client.reject_question(ids.directory, question["id"])
    return Progress(
        "notice", question["id"], "question", "reject", output="a question was not allowed"
    )
