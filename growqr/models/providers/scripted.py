"""The offline model: deterministic, no key, no network; it really calls the tools it is offered."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

from growqr.config import Providers, Settings
from growqr.models.base import StreamEvent
from growqr.models.offline import MODEL, compose
from growqr.models.stream import events_of


class Scripted:
    """`Provider` over `growqr.models.offline`, `delay` seconds between two pieces of a reply."""

    name: ClassVar[str] = "scripted"
    default_model = MODEL

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay

    @classmethod
    def open(cls, settings: Settings, providers: Providers) -> Scripted:
        """Needs nothing."""
        return cls(settings.scripted_delay)

    async def stream(self, body: dict[str, Any]) -> AsyncGenerator[StreamEvent, None]:
        """Events from message_start to message_stop, word by word."""
        content, stop_reason = compose(body)
        asked = json.dumps([body.get("system"), body["messages"], body.get("tools")])
        usage = {
            "input_tokens": max(1, len(asked) // 4),
            "output_tokens": max(1, len(json.dumps(content)) // 4),
        }
        message_id = "msg_" + hashlib.sha256(asked.encode()).hexdigest()[:24]
        for event in events_of(
            content, message_id=message_id, model=MODEL, stop_reason=stop_reason, usage=usage
        ):
            if event["type"] == "content_block_delta":
                await asyncio.sleep(self._delay)
            yield event

    async def close(self) -> None:
        """Nothing is held."""
