"""A turn that waits for its person: no process holds it, and deciding lets it go on."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from tests.cluster.test_failures import holder
from tests.instance_fixtures import TURN_TOKENS
from tests.instances import Instance, Person

ASK = '[[tools ask_user {"question": "Which colour?"}]]'


def waits(person: Person, turn: str, reason: str) -> None:
    until = time.monotonic() + 20
    while (now := person.get(f"/turns/{turn}"))["waiting"] != reason:
        assert time.monotonic() < until, now
        time.sleep(0.05)


def told(person: Person, turn: str) -> list[str]:
    return [e["type"] for e in person.journal() if e["turn_id"] == turn]


def test_a_question_outlives_its_agent(lab: Instance):
    anna = lab.person()
    turn = anna.say(ASK)
    waits(anna, turn, "answer")
    os.kill(holder(lab, anna)[0], signal.SIGKILL)
    [question] = anna.get("/questions")["data"]
    answer = anna.http.post(f"/questions/{question['id']}", json={"answer": "green"})
    assert answer.status_code == 200, answer.text
    done = anna.ended(turn, 30)
    assert done["state"] == "completed"
    [asked] = [step for step in done["steps"] if step["name"] == "ask_user"]
    assert asked["output"]["content"] == "green"
    assert told(anna, turn).count("question.resolved") == 1


def breached(person: Person) -> tuple[str, dict[str, Any]]:
    """A turn whose first call spends the budget, and what it asks for."""
    much = "x" * (6 * TURN_TOKENS)
    turn = person.say(f'[[tools commit_memory {{"path": "a.md", "content": "a"}}]] {much}')
    waits(person, turn, "budget")
    [budget] = person.get("/approvals")["data"]
    assert budget["kind"] == "budget"
    assert budget["asked"]["limit"] == TURN_TOKENS <= budget["asked"]["spent"]
    return turn, budget


def decide(person: Person, budget: dict[str, Any], decision: str) -> None:
    body = {"decision": decision, "note": "so be it"}
    answer = person.http.post(f"/approvals/{budget['id']}", json=body)
    assert answer.status_code == 200, answer.text


def test_a_spent_budget_asks_and_continuing_keeps_all_work(lab: Instance):
    anna = lab.person()
    turn, budget = breached(anna)
    decide(anna, budget, "approve")
    done = anna.ended(turn, 30)
    assert done["state"] == "completed"
    assert told(anna, turn).count("tool.started") == 1, "what was done is not done again"
    assert anna.get("/memory/a.md")["content"].strip() == "a"


def test_a_denied_budget_ends_the_turn_as_told(lab: Instance):
    anna = lab.person()
    turn, budget = breached(anna)
    decide(anna, budget, "deny")
    done = anna.ended(turn, 30)
    assert (done["state"], done["error"]["code"]) == ("failed", "budget_exceeded")
    assert "so be it" in done["error"]["message"]
    assert anna.ask("[[thinking]] and now?")
