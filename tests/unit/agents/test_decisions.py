"""A turn that waits for a person: no process runs, one answer counts, any successor goes on."""

from __future__ import annotations

import asyncio

import pytest

from growqr.errors import AlreadyDecided, BudgetExceeded, Conflict
from growqr.states import DecisionState
from growqr.tools import NOT_HAPPENED
from tests.unit.agents.conftest import Bench, text, use

pytestmark = pytest.mark.anyio

SPENT = BudgetExceeded(
    "this turn has used 50 of 50 tokens",
    {"scope": "turn:x", "unit": "tokens", "limit": 50, "spent": 50},
)


async def interrupted(bench: Bench, name: str) -> str:
    """A turn whose only tool call was cut off by a crash, before its effect."""
    tool = {"launch": bench.unsafe, "post": bench.traced}[name]
    tool.gate.clear()
    bench.model.script = [[use("a", name, number=7)], [text("fine")]]
    turn_id = await bench.say("go")
    await asyncio.wait_for(tool.began.wait(), 5)
    await bench.crash()
    tool.gate.set()
    return turn_id


async def test_an_unknown_call_is_made_again_only_if_a_person_says_so(bench: Bench):
    turn_id = await interrupted(bench, "launch")
    decision = await bench.asked(turn_id)
    assert decision.kind == "approval"
    assert (decision.asked["name"], decision.asked["input"]) == ("launch", {"number": 7})
    assert bench.unsafe.effects == []
    await bench.decide(decision, "approved")
    assert (await bench.ended(turn_id)).state == "completed"
    assert len(bench.unsafe.effects) == 1
    [result] = bench.model.requests[-1].messages[-1]["content"]
    assert result["content"] == "counted 7"


async def test_an_approval_is_good_for_one_repetition(bench: Bench):
    turn_id = await interrupted(bench, "launch")
    first = await bench.asked(turn_id)
    bench.unsafe.gate.clear()
    bench.unsafe.began.clear()
    await bench.decide(first, "approved")
    await asyncio.wait_for(bench.unsafe.began.wait(), 5)
    await bench.crash()
    second = await bench.asked(turn_id)
    assert second.id != first.id
    bench.unsafe.gate.set()
    await bench.decide(second, "denied", "leave it")
    assert (await bench.ended(turn_id)).state == "completed"
    assert bench.unsafe.effects == []
    [result] = bench.model.requests[-1].messages[-1]["content"]
    assert result["is_error"] is True
    assert "leave it" in result["content"]


@pytest.mark.parametrize(
    ("trace", "effects", "told"),
    [("posted as 12", 0, "posted as 12"), (NOT_HAPPENED, 1, "counted 7")],
)
async def test_a_call_that_can_be_asked_is_asked(
    bench: Bench, trace: object, effects: int, told: str
):
    bench.traced.trace = trace
    turn_id = await interrupted(bench, "post")
    assert (await bench.ended(turn_id)).state == "completed"
    assert len(bench.traced.effects) == effects
    [result] = bench.model.requests[-1].messages[-1]["content"]
    assert result["content"] == told


async def test_a_call_that_cannot_tell_is_a_persons_to_decide(bench: Bench):
    turn_id = await interrupted(bench, "post")
    assert (await bench.asked(turn_id)).kind == "approval"


async def test_a_question_waits_without_a_process_and_any_successor_goes_on(bench: Bench):
    bench.model.script = [
        [use("q", "ask_user", question="Which colour?", options=["red", "blue"])],
        [text("painted")],
    ]
    turn_id = await bench.say("paint it")
    decision = await bench.asked(turn_id)
    assert (decision.kind, decision.options) == ("question", ["red", "blue"])
    assert (await bench.store.turns.get(None, turn_id)).waiting == "answer"
    await bench.crash()
    await bench.decide(decision, "answered", "green")
    turn = await bench.ended(turn_id)
    assert (turn.state, turn.result, turn.epoch) == ("completed", "painted", 2)
    [result] = bench.model.requests[-1].messages[-1]["content"]
    assert (result["content"], result.get("is_error")) == ("green", None)
    told = [kind for kind in await bench.types() if kind.startswith(("question", "turn"))]
    assert told == [
        "turn.started",
        "question.requested",
        "turn.waiting",
        "question.resolved",
        "turn.started",
        "turn.completed",
    ]


async def test_of_many_answers_one_counts(bench: Bench):
    bench.model.script = [[use("q", "ask_user", question="Which?")], [text("thanks")]]
    turn_id = await bench.say("ask me")
    decision = await bench.asked(turn_id)

    async def answer(text: str) -> bool:
        try:
            _, lease = await bench.store.decisions.resolve(
                decision, DecisionState.ANSWERED, text, bench.user.id
            )
        except AlreadyDecided:
            return False
        return lease is not None

    won = await asyncio.gather(*(answer(f"answer {n}") for n in range(10)))
    assert won.count(True) == 1
    now = await bench.store.decisions.get(bench.user.id, decision.id)
    assert now.answer == f"answer {won.index(True)}"
    assert (await bench.types()).count("question.resolved") == 1


async def test_two_questions_are_both_waited_for(bench: Bench):
    bench.model.script = [
        [use("p", "ask_user", question="One?"), use("q", "ask_user", question="Two?")],
        [text("thanks")],
    ]
    turn_id = await bench.say("ask me twice")
    async with asyncio.timeout(5):
        while (await bench.store.turns.get(None, turn_id)).state != "waiting":
            await asyncio.sleep(0.01)
    one, two = await bench.store.decisions.list(bench.user.id, ["question"], limit=9)
    await bench.decide(two, "answered", "2")
    assert (await bench.store.turns.get(None, turn_id)).state == "waiting"
    await bench.decide(one, "answered", "1")
    assert (await bench.ended(turn_id)).state == "completed"
    results = bench.model.requests[-1].messages[-1]["content"]
    assert {r["tool_use_id"]: r["content"] for r in results} == {
        d.asked["tool_use_id"]: answer for d, answer in ((one, "1"), (two, "2"))
    }


async def test_a_spent_budget_pauses_the_turn_and_keeps_its_work(bench: Bench):
    bench.model.script = [[use("a", "count", number=1)], SPENT, [text("finished")]]
    turn_id = await bench.say("work")
    decision = await bench.asked(turn_id)
    assert (decision.kind, decision.asked["limit"]) == ("budget", 50)
    assert (await bench.store.turns.get(None, turn_id)).waiting == "budget"
    await bench.decide(decision, "approved")
    assert (await bench.ended(turn_id)).result == "finished"
    assert len(bench.safe.effects) == 1, "what was done before is not done again"
    assert bench.model.requests[1].messages == bench.model.requests[2].messages


async def test_a_denied_budget_ends_the_turn_as_told(bench: Bench):
    bench.model.script = [SPENT, SPENT]
    turn_id = await bench.say("work")
    await bench.decide(await bench.asked(turn_id), "denied", "too dear")
    turn = await bench.ended(turn_id)
    assert turn.state == "failed"
    assert turn.error is not None
    assert turn.error["code"] == "budget_exceeded"
    assert "too dear" in turn.error["message"]


async def test_waiting_is_not_of_the_turns_time(bench: Bench):
    bench.model.script = [[use("q", "ask_user", question="Which?")], [text("thanks")]]
    turn_id = await bench.say("ask me")
    decision = await bench.asked(turn_id)
    before = await bench.store.turns.get(None, turn_id)
    await asyncio.sleep(0.5)
    await bench.decide(decision, "answered", "x")
    after = await bench.ended(turn_id)
    assert before.deadline_at is not None
    assert after.deadline_at is not None
    assert (after.deadline_at - before.deadline_at).total_seconds() >= 0.5


async def test_a_cancelled_turn_asks_no_more(bench: Bench):
    bench.model.script = [[use("q", "ask_user", question="Which?")]]
    turn_id = await bench.say("ask me")
    decision = await bench.asked(turn_id)
    await bench.store.turns.cancel(bench.user.id, turn_id)
    with pytest.raises(AlreadyDecided, match="closed"):
        await bench.decide(decision, "answered", "late")
    assert (await bench.ended(turn_id)).state == "cancelled"


async def test_a_queued_message_can_be_withdrawn_and_was_never_said(bench: Bench):
    bench.safe.gate.clear()
    bench.model.script = [[use("a", "count", number=1)], [text("one")], [text("three")]]
    first = await bench.say("first")
    await asyncio.wait_for(bench.safe.began.wait(), 5)
    second = await bench.store.messages.accept(bench.user.id, "second")
    third = await bench.say("third")
    turn = await bench.store.turns.withdraw(bench.user.id, second.message_id)
    assert (turn.state, turn.started_at) == ("cancelled", None)
    with pytest.raises(Conflict, match="no longer queued"):
        [said, *_] = await bench.store.messages.list(
            bench.user.id, second.thread_id, limit=1, after=0
        )
        await bench.store.turns.withdraw(bench.user.id, said.id)
    bench.safe.gate.set()
    assert (await bench.ended(first)).result == "one"
    assert (await bench.ended(third)).result == "three"
    assert "second" not in str(bench.model.requests[-1].messages)
    assert (await bench.types()).count("message.withdrawn") == 1
