"""What goes wrong with providers, in words that are the same for all of them: the deadlines every
leaf keeps, and the errors it raises. None of them can hold a key.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from growqr.errors import GrowqrError, ModelError, ModelUnavailable

CONNECT_DEADLINE = 10.0
SILENCE_DEADLINE = 90.0
"""Seconds without a byte, before the first one too."""

GARBAGE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a server's bytes raises when they are not what was agreed."""

_PASSING = frozenset({408, 409, 425, 429})
_PASSING_TYPES = frozenset(
    {"api_error", "overloaded_error", "rate_limit_error", "server_error", "timeout_error"}
)


def silent() -> ModelUnavailable:
    """Nothing came for too long."""
    return ModelUnavailable(
        f"the model server did not answer in time (silence {SILENCE_DEADLINE:.0f} s)",
        {"reason": "stall"},
    )


def unreachable(why: object) -> ModelUnavailable:
    """There was no connection."""
    return ModelUnavailable(f"the model server cannot be reached: {why}", {"reason": "connection"})


def cut(error: BaseException) -> ModelUnavailable:
    """The connection broke, or what came was no reply."""
    return ModelUnavailable(
        f"the model server's reply was cut: {type(error).__name__}", {"reason": "cut"}
    )


def refused(status: int, headers: Mapping[str, str], body: object, key: str) -> GrowqrError:
    """An answer that is no reply. `key`: the variable that holds the key, to be named."""
    said = said_in(body) or f"status {status}"
    detail: dict[str, Any] = {"reason": "status", "status": status}
    if status in (401, 403):
        return ModelError(
            f"the model server refused the key ({status}); check {key}",
            detail | {"reason": "key"},
        )
    if status in _PASSING or status >= 500:
        if (pause := retry_after(headers)) is not None:
            detail["retry_after"] = pause
        return ModelUnavailable(f"the model server is not able to answer now: {said}", detail)
    return ModelError(f"the model server refused the request: {said}", detail)


def told_in_stream(body: dict[str, Any]) -> GrowqrError:
    """An error in a stream that had begun; before any content it counts like a status."""
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    kind, code = error.get("type"), error.get("code")
    said = said_in(body) or str(kind)
    if kind in _PASSING_TYPES or code in _PASSING_TYPES or (isinstance(code, int) and code >= 429):
        return ModelUnavailable(
            f"the model server stopped in the middle of its reply: {said}", {"reason": "status"}
        )
    return ModelError(f"the model server refused the request: {said}", {"reason": "status"})


def said_in(body: object) -> str:
    """The message of an error document; servers differ in how deep it lies."""
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(said or "")[:500]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the server wants to be asked again: of a number, or of an HTTP date."""
    said = headers.get("retry-after") or ""
    try:
        seconds = float(said)
    except ValueError:
        until = _moment(said)
        if until is None:
            return None
        # Its own clock, where it tells the time: ours may be another.
        seconds = until - (_moment(headers.get("date") or "") or time.time())
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
