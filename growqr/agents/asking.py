"""What agents ask of people: whether to repeat a call nobody knows about, and for more budget."""

from __future__ import annotations

from growqr.agents.keeper import Keeper
from growqr.errors import BudgetExceeded
from growqr.states import DecisionState
from growqr.store import Store, Turn

UNKNOWN = (
    "outcome unknown: the agent died after this call began and before its result was recorded. "
    "It may or may not have happened; check the state before doing it again."
)


def unknown_call(note: str | None = None) -> str:
    """What the model is told of a call that was not allowed again, with the person's note."""
    return f"{UNKNOWN} The user says: {note}" if note else UNKNOWN


async def allowed(
    store: Store, keeper: Keeper, turn: Turn, spent: BudgetExceeded, expiry: float
) -> bool:
    """Whether a person has allowed more; False: asked, and nobody has answered yet.

    Raises BudgetExceeded once it is denied, or nobody answered in `expiry` seconds.
    """
    breach = {key: spent.detail.get(key) for key in ("scope", "unit", "limit", "spent")}
    key = f"{breach['scope']} {breach['unit']} {breach['limit']}"
    decision = await keeper.patiently(
        lambda: store.decisions.ask(
            keeper.fence,
            turn,
            "budget",
            breach | {"text": spent.message},
            key=key,
            expiry=expiry,
            options=["approve", "deny"],
        )
    )
    if decision.state in (DecisionState.OPEN, DecisionState.APPROVED):
        return decision.state == DecisionState.APPROVED
    why = {DecisionState.DENIED: "denied", DecisionState.EXPIRED: "not answered in time"}
    reason = why.get(DecisionState(decision.state), decision.state)
    note = f": {decision.answer}" if decision.answer else ""
    raise BudgetExceeded(f"{spent.message}; more was {reason}{note}", spent.detail)
