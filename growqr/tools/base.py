"""What a tool is: a name, a description for the model, how its effect repeats, and `run`."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from growqr.directory import Directory, Fence
    from growqr.store import Store

Effect = Literal["read_only", "idempotent", "reconcilable", "unsafe"]
"""What may be done after a crash between claim and result: see `Tool.effect`."""

Result = str | list[dict[str, Any]]
"""What the model is given back: text, or a list of content blocks."""


class ToolInput(BaseModel):
    """Base of every tool's input: unknown fields are mistakes that the model is told about."""

    model_config = ConfigDict(extra="forbid")


InputT = TypeVar("InputT", bound=ToolInput)


@dataclass(frozen=True, slots=True)
class ToolServices:
    """What tools may use of the instance: `sub_agent_types` by name, with what each is for.

    `decision_expiry`: seconds for which a person may be waited for.
    """

    store: Store
    directory: Directory
    sub_agent_types: Mapping[str, str]
    decision_expiry: float = 86_400.0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call: for whom, in which turn and step, with which right to write."""

    user_id: str
    thread_id: str
    turn_id: str
    step_id: str
    tool_use_id: str
    fence: Fence | None
    actor: str
    services: ToolServices

    @property
    def operation_id(self) -> str:
        """The same for every repetition of this call: an idempotent effect is keyed by it."""
        return f"{self.turn_id}:{self.tool_use_id}"

    @property
    def digest(self) -> str:
        """Hex digits that only this call has, for names that must be the same on a repeat."""
        return hashlib.sha256(self.operation_id.encode()).hexdigest()


class Delegated(Exception):
    """Raised by a tool whose result will be the end of another turn; this one waits for it."""


NOT_HAPPENED: Final = object()
"""What `Tool.happened` answers where the call left no trace: it is made again."""


class Tool(ABC, Generic[InputT]):
    """One tool. `effect` says what a successor does with a call that has no result.

    `read_only` and `idempotent` run again with the same operation id, `reconcilable` is asked
    whether it happened, `unsafe` becomes `unknown` and the model and the user are told.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect]
    delegates: ClassVar[bool] = False
    """Whether it only hands over: what it starts tells of itself."""
    Input: type[InputT]

    @abstractmethod
    async def run(self, call: ToolCall, input: InputT) -> Result:
        """Do it. Raises ToolError for what the model can mend, other errors as they come."""

    async def happened(self, call: ToolCall, input: InputT) -> Any:
        """For `reconcilable`: the Result of this interrupted call, or NOT_HAPPENED.

        None: it cannot be told, and the call counts as unsafe. It has the operation id to ask by.
        """
        return None
