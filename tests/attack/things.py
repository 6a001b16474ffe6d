"""One of everything that has an id, all of one user's, made as users and agents make them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from growqr import names
from growqr.directory import Fence
from growqr.store import DecisionKind, Store, User
from tests.attack.house import API, House
from tests.attack.walk import Operation

WORD = "xylograph"
"""Stands in everything that is made here, and nowhere else."""

FILE, MEMORY, REPO = f"{WORD}.txt", f"{WORD}/notes.md", f"{WORD}-shop"


@dataclass(frozen=True)
class Things:
    """Ids by the name of the parameter that takes them."""

    ids: dict[str, str]
    approval: str
    question: str

    def of(self, operation: Operation) -> dict[str, str]:
        """Those that this operation takes; KeyError for a kind of thing that nobody has made."""
        place = operation.path.removeprefix(API).split("/")[1]
        kinds = {"approvals": self.approval, "questions": self.question}
        paths = {"files": FILE, "memory": MEMORY, "git": FILE}
        ids = self.ids | {"decision_id": kinds.get(place, ""), "path": paths.get(place, "")}
        return {name: ids[name] for name in operation.ids}


async def everything(house: House, owner: User) -> Things:
    """One of each, of an admin's."""
    mine, store = await house.person(owner), house.store
    browser = await house.browser(owner)
    approval = await _asked(store, owner, "approval")
    question = await _asked(store, owner, "question")
    thread = await _post(mine, "/threads", title=WORD)
    said = await _post(mine, "/actors/me/message", text=WORD, thread_id=thread["id"])
    sub = await _post(mine, "/actors/me/sub-agents", type="coding", channel_id=WORD)
    timer = await _post(mine, "/timers", text=WORD, seconds=3600)
    invite = await _post(mine, "/admin/invites", email=f"{WORD}@example.test")
    key = await house.key(mine, "read", name=WORD)
    await _post(mine, "/git/repos", name=REPO)
    await _put(mine, f"/git/repos/{REPO}/contents/{FILE}")
    await _put(mine, f"/memory/{MEMORY}")
    [version] = (await mine.get(f"/memory/{MEMORY}/history")).json()["data"]
    await _post(mine, "/opencode/provision")
    work = house.settings.workspace(owner.id)
    work.mkdir(parents=True, exist_ok=True)
    (work / FILE).write_text(WORD)
    [signed_in] = (await browser.get("/auth/sign-ins")).json()["data"]
    ids = {
        "user": owner.id, "workspace_id": owner.id, "member_id": owner.id, "repo": REPO,
        "sub_agent_id": sub["id"], "session_id": sub["id"], "key_id": key["id"],
        "invite_id": invite["id"], "message_id": said["message_id"], "timer_id": timer["id"],
        "sign_in_id": signed_in["id"], "thread_id": thread["id"], "turn_id": said["turn_id"],
        "provider": "nobody", "id": version["id"],
    }  # fmt: skip
    return Things(ids, approval, question)


async def kept(database_url: str, data: Path, user: User) -> dict[str, str]:
    """All that is kept of a user, rows and files, each as a hash under its name."""
    found = {}
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        tables = await conn.execute(
            "select table_name from information_schema.columns where table_schema ="
            " current_schema() and column_name = 'user_id' and table_name <> 'open_stream'"
        )
        for (table,) in await tables.fetchall():
            rows = await conn.execute(
                f"select to_jsonb(t) from {table} t where user_id = %s order by 1".encode(),
                [user.id],
            )
            found[table] = json.dumps(await rows.fetchall(), sort_keys=True)
        rows = await conn.execute("select to_jsonb(u) from users u where id = %s", [user.id])
        found["users"] = json.dumps(await rows.fetchall(), sort_keys=True)
    return found | _files(data, user)


def _files(data: Path, user: User) -> dict[str, str]:
    files = [file for file in data.rglob("*") if user.id in str(file) and file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


async def dump(database_url: str) -> str:
    """Everything in the database, as text."""
    found: list[Any] = []
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        tables = await conn.execute(
            "select table_name from information_schema.tables where table_schema ="
            " current_schema() and table_type = 'BASE TABLE'"
        )
        for (table,) in await tables.fetchall():
            rows = await conn.execute(f"select t::text from {table} t".encode())
            found += await rows.fetchall()
    return str(found)


async def _asked(store: Store, user: User, kind: DecisionKind) -> str:
    """A turn of an agent that waits for its person."""
    fence = Fence(names.grow_agent(user.id), 1)
    lease = await store.leases.get(fence.key)
    if lease is None or not lease.live:
        assert await store.leases.take(fence, holder="test", ttl=600)
    thread = await store.threads.create(user.id, WORD)
    await store.messages.accept(user.id, WORD, thread_id=thread.id)
    turn = await store.turns.claim(fence, deadline=600)
    assert turn is not None
    decision = await store.decisions.ask(fence, turn, kind, {"text": WORD}, key=1, expiry=600)
    assert await store.turns.wait(fence, turn.id)
    return decision.id


async def _post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code < 300, f"{path}: {answer.text}"
    made: dict[str, Any] = answer.json()
    return made


async def _put(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.put(path, json={"content": WORD})
    assert answer.status_code == 200, f"{path}: {answer.text}"
