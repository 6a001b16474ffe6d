"""What a model is to the agents (`Model`) and to the gateway (`Provider`).

Content travels as blocks of the Anthropic Messages API, whoever answers.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from growqr.config import Providers, Settings

Block = dict[str, Any]
"""One content block: text, thinking, redacted_thinking, tool_use or tool_result."""

StreamEvent = dict[str, Any]
"""One event of a streamed reply: message_start, content_block_delta, …, message_stop."""

OnDelta = Callable[[str, str], None]
"""Told of every piece of a reply as it arrives: ("text" | "thinking", piece)."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model. `model` None: whatever the gateway is set to.

    `messages` alternate user and assistant; `tools` hold name, description and input_schema.
    """

    system: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    max_tokens: int = 8192
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its blocks may be sent back to the model as they are.

    `stop_reason` is the API's: end_turn, tool_use, max_tokens, …
    `usage` counts tokens: input_tokens, output_tokens, cache_read_tokens, cache_write_tokens.
    """

    content: list[Block]
    stop_reason: str
    model: str
    usage: dict[str, int]

    @property
    def text(self) -> str:
        """The text blocks, joined by blank lines."""
        return "\n\n".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def tool_calls(self) -> list[Block]:
        """The tool_use blocks, in order: id, name, input."""
        return [block for block in self.content if block["type"] == "tool_use"]


class Model(Protocol):
    """Something that answers."""

    async def reply(
        self,
        request: ModelRequest,
        *,
        call_id: str,
        turn_id: str,
        step_id: str | None = None,
        on_delta: OnDelta | None = None,
    ) -> Reply:
        """The reply; `on_delta` hears its text and thinking while it is written.

        `call_id` names the call in the ledger, `turn_id` and `step_id` what it is booked to.
        Raises ModelUnavailable (away, cut, stalled: may be asked again) or ModelError (refused).
        """


class Provider(Protocol):
    """A leaf in `providers/`: turns a request body of the Messages API into stream events."""

    name: ClassVar[str]
    default_model: str

    @classmethod
    def open(cls, settings: Settings, providers: Providers) -> Self:
        """The provider as configured; no connection yet. Raises InstanceError, naming the key."""

    def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        """Events from message_start to message_stop; closing it ends the call.

        Raises ModelUnavailable (`detail`: `reason` connection | status | stall | cut,
        `retry_after` seconds when the server named them) or ModelError.
        """

    async def close(self) -> None:
        """Give connections back."""
