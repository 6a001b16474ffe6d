"""Approvals, questions and withdrawn messages over HTTP: listed, decided once, nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from growqr import names
from growqr.config import Settings
from growqr.directory import Fence
from growqr.states import DecisionState
from growqr.store import Decision, DecisionKind, Store, User
from tests.rows import rows
from tests.unit.api.conftest import RecordedDirectory, until
from tests.unit.api.doors import bearer, coming, door, refusal

pytestmark = pytest.mark.anyio


async def ask(store: Store, user: User, kind: DecisionKind, expiry: float = 60) -> Decision:
    """A turn of this user that waits for a decision of this kind."""
    fence = Fence(names.grow_agent(user.id), 1)
    lease = await store.leases.get(fence.key)
    if lease is None or not lease.live:
        assert await store.leases.take(fence, holder="test", ttl=60)
    thread = await store.threads.create(user.id, f"about {kind}")
    await store.messages.accept(user.id, "go on", thread_id=thread.id)
    turn = await store.turns.claim(fence, deadline=60)
    assert turn is not None
    asked: dict[str, Any] = {"text": "May I?"}
    decision = await store.decisions.ask(fence, turn, kind, asked, key=1, expiry=expiry)
    assert await store.turns.wait(fence, turn.id)
    return decision


async def test_what_waits_is_listed_by_kind(client: httpx.AsyncClient, store: Store, alice: User):
    asked = [await ask(store, alice, kind) for kind in ("approval", "question", "budget")]
    approvals = (await client.get("/approvals")).json()["data"]
    questions = (await client.get("/questions")).json()["data"]
    assert {one["id"] for one in approvals} == {asked[0].id, asked[2].id}
    assert [one["id"] for one in questions] == [asked[1].id]
    assert questions[0]["asked"] == {"text": "May I?"}
    page = (await client.get("/approvals?limit=1")).json()
    rest = (await client.get("/approvals", params={"cursor": page["next_cursor"]})).json()
    assert [one["id"] for one in page["data"] + rest["data"]] == sorted((asked[0].id, asked[2].id))


async def test_an_answer_lets_the_turn_go_on_and_wakes_its_agent(
    client: httpx.AsyncClient, store: Store, alice: User, directory: RecordedDirectory
):
    decision = await ask(store, alice, "question")
    answer = await client.post(f"/questions/{decision.id}", json={"answer": "yes"})
    assert (answer.status_code, answer.json()["state"]) == (200, "answered")
    assert answer.json()["answered_by"] == alice.id
    turn = (await client.get(f"/turns/{decision.turn_id}")).json()
    assert (turn["state"], turn["waiting"]) == ("queued", None)
    await until(lambda: [lease.key for lease in directory.woken] == [names.grow_agent(alice.id)])
    assert (await client.get("/questions")).json()["data"] == []
    [kept] = (await client.get("/questions?state=all")).json()["data"]
    assert kept["answer"] == "yes"


async def test_the_same_answer_again_is_fine_and_another_is_refused(
    client: httpx.AsyncClient, store: Store, alice: User
):
    decision = await ask(store, alice, "approval")
    path = f"/approvals/{decision.id}"
    first = await client.post(path, json={"decision": "deny", "note": "not now"})
    again = await client.post(path, json={"decision": "deny", "note": "not now"})
    other = await client.post(path, json={"decision": "approve"})
    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 409]
    assert other.json()["code"] == "already_decided"
    assert first.json() == again.json()


async def test_of_clicks_from_many_clients_one_counts(
    client: httpx.AsyncClient, store: Store, alice: User
):
    decision = await ask(store, alice, "approval")
    words = ["approve", "deny"] * 5
    answers = await asyncio.gather(
        *(client.post(f"/approvals/{decision.id}", json={"decision": word}) for word in words)
    )
    counted = {a.json()["state"] for a in answers if a.status_code == 200}
    assert len(counted) == 1
    assert sorted({a.status_code for a in answers}) == [200, 409]
    events = await store.events.after(alice.id, 0)
    assert [e.type for e in events].count("approval.resolved") == 1


async def test_whose_time_is_over_is_decided_no_more(
    client: httpx.AsyncClient, store: Store, alice: User
):
    decision = await ask(store, alice, "approval", expiry=0.01)
    await asyncio.sleep(0.05)
    late = await client.post(f"/approvals/{decision.id}", json={"decision": "approve"})
    assert (late.status_code, late.json()["state"]) == (409, "expired")
    assert await store.decisions.expire(decision.id) is not None
    assert await store.decisions.expire(decision.id) is None
    assert (await store.turns.get(alice.id, decision.turn_id)).state == "queued"


@pytest.mark.parametrize("body", [{}, {"decision": "maybe"}, {"decision": "deny", "x": 1}])
async def test_a_bad_answer_changes_nothing(
    client: httpx.AsyncClient, store: Store, alice: User, body: dict[str, Any]
):
    decision = await ask(store, alice, "approval")
    assert (await client.post(f"/approvals/{decision.id}", json=body)).status_code == 422
    assert (await store.decisions.get(alice.id, decision.id)).state == "open"


async def test_nobody_else_sees_or_decides(
    client: httpx.AsyncClient, other: httpx.AsyncClient, store: Store, alice: User
):
    decision = await ask(store, alice, "approval")
    assert (await other.get("/approvals")).json()["data"] == []
    stranger = await other.post(f"/approvals/{decision.id}", json={"decision": "approve"})
    wrong_door = await client.post(f"/questions/{decision.id}", json={"answer": "yes"})
    assert (stranger.status_code, wrong_door.status_code) == (404, 404)
    assert (await store.decisions.get(alice.id, decision.id)).state == "open"


async def test_a_queued_message_is_withdrawn_once_begun_it_is_not(
    client: httpx.AsyncClient, other: httpx.AsyncClient, store: Store, alice: User
):
    said = (await client.post("/actors/me/message", json={"text": "never mind"})).json()
    path = f"/messages/{said['message_id']}"
    assert (await other.delete(path)).status_code == 404
    gone, again = await client.delete(path), await client.delete(path)
    assert (gone.status_code, gone.json()["state"], again.status_code) == (200, "cancelled", 200)
    for order in ("oldest", "newest"):
        left = await client.get(f"/threads/{said['thread_id']}/messages", params={"order": order})
        assert left.json()["data"] == []
    said = (await client.post("/actors/me/message", json={"text": "do mind"})).json()
    fence = Fence(names.grow_agent(alice.id), 1)
    assert await store.leases.take(fence, holder="test", ttl=60)
    assert await store.turns.claim(fence, deadline=60)
    late = await client.delete(f"/messages/{said['message_id']}")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert (await store.turns.get(alice.id, said["turn_id"])).state == "running"


async def test_what_is_stopped_before_it_began_stays_to_be_read(
    client: httpx.AsyncClient, store: Store, alice: User
):
    said = (await client.post("/actors/me/message", json={"text": "hello"})).json()
    await client.post(f"/turns/{said['turn_id']}/cancel")
    page = (await client.get(f"/threads/{said['thread_id']}/messages")).json()
    assert [one["id"] for one in page["data"]] == [said["message_id"]]
    [turn] = page["turns"]
    assert (turn["id"], turn["state"], turn["error"]) == (said["turn_id"], "cancelled", None)
    late = await client.delete(f"/messages/{said['message_id']}")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    assert await store.messages.conversation(said["turn_id"]) == []


async def test_a_page_of_messages_tells_how_its_turns_stand_and_what_they_asked(
    client: httpx.AsyncClient, store: Store, alice: User
):
    decided, left = await ask(store, alice, "question"), await ask(store, alice, "approval")
    await client.post(f"/questions/{decided.id}", json={"answer": "yes"})
    await store.turns.give_up(left.turn_id, {"code": "deadline", "message": "its time is over"})
    for one, turn, asked in (
        (decided, ("queued", None), ("answered", "yes")),
        (left, ("failed", {"code": "deadline", "message": "its time is over"}), ("closed", None)),
    ):
        page = (await client.get(f"/threads/{one.thread_id}/messages")).json()
        assert [(t["id"], t["state"], t["error"]) for t in page["turns"]] == [(one.turn_id, *turn)]
        assert [(d["id"], d["state"], d["answer"]) for d in page["decisions"]] == [(one.id, *asked)]
    await store.messages.accept(alice.id, "and?", thread_id=decided.thread_id)
    query = {"limit": 1, "order": "newest"}
    newest = (await client.get(f"/threads/{decided.thread_id}/messages", params=query)).json()
    assert [turn["id"] == decided.turn_id for turn in newest["turns"]] == [False]
    assert newest["decisions"] == []


async def test_beyond_the_hard_cap_an_admin_allows_more_and_the_user_does_not(
    settings: Settings, store: Store, alice: User, bob: User
):
    """Alice, who came first, is the admin."""
    asked = [await ask(store, bob, kind) for kind in ("budget", "approval", "budget")]
    paths = [f"/approvals/{one.id}" for one in asked]
    yes, no = ({"decision": word} for word in ("approve", "deny"))
    call = {"step_id": None, "provider": "p", "model": "m", "output_tokens": 0}
    async with door(settings, store, budget_hard_day_tokens=100) as app:
        async with (
            coming(app, authorization=bearer(settings, alice)) as admin,
            coming(app, authorization=bearer(settings, bob)) as his,
        ):
            await store.usage.record("c", user_id=bob.id, turn_id=None, input_tokens=100, **call)
            told = refusal(await his.post(paths[0], json=yes), 403, "hard_cap")["detail"]
            assert "100 of 100 tokens" in told
            assert f"`day_tokens` of {bob.id}" in told
            assert (await his.post(paths[1], json=yes)).status_code == 200, "no budget at all"
            assert (await his.post(paths[2], json=no)).status_code == 200
            member = f"/admin/users/{bob.id}"
            refusal(await his.patch(member, json={"day_tokens": 0}), 403, "admin_only")
            changed = await admin.patch(member, json={"day_tokens": 200})
            assert (changed.status_code, changed.json()["day_tokens"]) == (200, 200)
            assert (await his.post(paths[0], json=yes)).json()["state"] == "approved"
            back = await admin.patch(member, json={"day_tokens": None})
            assert back.json()["day_tokens"] is None
            assert (await admin.patch(member, json={})).status_code == 422

    async def noted() -> bool:
        lines = await store.audit.list(limit=9, who=bob.id, what="decisions.")
        return [(line.outcome, line.rule) for line in lines] == [("refused", "hard_cap")]

    await until(noted)
    [first, second] = await store.audit.list(limit=9, who=bob.id, what="user.changed")
    assert (first.facts["day_tokens"], second.facts["day_tokens"]) == (None, 200)


async def test_what_was_decided_is_in_the_audit_log_without_what_was_said(
    client: httpx.AsyncClient, store: Store, alice: User, bob: User
):
    asked = {kind: await ask(store, alice, kind) for kind in ("approval", "budget", "question")}
    for _ in range(2):  # the same answer again is no second decision
        for path, body in (
            (f"/approvals/{asked['approval'].id}", {"decision": "deny", "note": "xylograph"}),
            (f"/approvals/{asked['budget'].id}", {"decision": "approve"}),
            (f"/questions/{asked['question'].id}", {"answer": "xylograph"}),
        ):
            assert (await client.post(path, json=body)).status_code == 200
    over = await ask(store, bob, "approval", expiry=0.01)
    await asyncio.sleep(0.05)
    await store.decisions.expire(over.id)
    entries = await store.audit.list(limit=9, what="decision.")
    assert [(one.action, one.subject, one.facts["kind"]) for one in reversed(entries)] == [
        ("decision.denied", asked["approval"].id, "approval"),
        ("decision.approved", asked["budget"].id, "budget"),
        ("decision.answered", asked["question"].id, "question"),
    ]
    assert {(one.actor, one.rule, one.address) for one in entries} == {
        (alice.id, "own", "127.0.0.1")
    }
    assert all(one.via.startswith("token:") and one.request_id for one in entries)
    assert "xylograph" not in str(entries)


async def test_a_decision_and_its_note_are_one_transaction(
    store: Store, database_url: str, alice: User
):
    decision = await ask(store, alice, "approval")
    await rows(
        database_url, "alter table audit add constraint full_up check (actor = 'x') not valid"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        await store.decisions.resolve(decision, DecisionState.APPROVED, None, alice.id)
    assert (await store.decisions.get(alice.id, decision.id)).state == "open"
