"""One error tree: every failure a caller can meet, with its code, HTTP status and remedy.

GrowqrError
├── BadRequest 400 ── Unauthorized 401 ── Forbidden 403 ── NotFound 404 ── TooLarge 413 ──
│   TooMany 429
├── Conflict 409 ── InProgress, SandboxRequired, AlreadyDecided
├── PreconditionFailed 412  what `If-Match` or `If-None-Match` asks for does not hold
├── Invalid 422 ── KeyReused
├── Fenced        the writer's lease has passed to a later epoch; it must stop
├── Unavailable 503 ── StoreUnavailable, ModelUnavailable, EngineUnavailable
├── BudgetExceeded 402  a person must allow more first
├── SecretUnreadable 500  its key is not in the ring, or it is not of this place
├── ModelError    the model's server refused; retrying as is will not help
├── ToolError     the model asked for something wrong and can mend it
└── InstanceError the machine is missing something; says what and how to fix it
    └── NoRoom, ImageMissing
"""

from __future__ import annotations

from typing import Any, ClassVar


class GrowqrError(Exception):
    """Base of all errors raised on purpose.

    `message` says what is wrong with which thing, `detail` holds JSON-safe facts for machines.
    Positional arguments and `__reduce__` keep both across Ray, which loses keyword-only fields.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "", detail: dict[str, Any] | None = None) -> None:
        self.message = message or (type(self).__doc__ or self.code).strip().splitlines()[0]
        self.detail = detail or {}
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[GrowqrError], tuple[str, dict[str, Any]]]:
        return type(self), (self.message, self.detail)


class BadRequest(GrowqrError):
    """The request could not be read."""

    code, status = "bad_request", 400


class Unauthorized(GrowqrError):
    """A valid bearer token is required."""

    code, status = "unauthorized", 401


class Forbidden(GrowqrError):
    """You are known, and may not do this. `detail`: the rule that decided."""

    code, status = "forbidden", 403


class NotFound(GrowqrError):
    """There is no such thing, or it is not yours."""

    code, status = "not_found", 404


class Conflict(GrowqrError):
    """The thing is in another state than the request needs."""

    code, status = "conflict", 409


class InProgress(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code, retryable = "in_progress", True


class SandboxRequired(Conflict):
    """Services of a second user need walls, and this machine has none."""

    code = "sandbox_required"


class AlreadyDecided(Conflict):
    """Somebody has answered this before, or its time is over."""

    code = "already_decided"


class PreconditionFailed(GrowqrError):
    """It is not as the request's If-Match or If-None-Match says. `detail`: the newest version."""

    code, status = "precondition_failed", 412


class TooLarge(GrowqrError):
    """The body is larger than the limit."""

    code, status = "too_large", 413


class Invalid(GrowqrError):
    """A field has a value that is not allowed."""

    code, status = "invalid", 422


class KeyReused(Invalid):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_mismatch"


class TooMany(GrowqrError):
    """A limit is reached; try again later."""

    code, status, retryable = "too_many", 429, True


class Fenced(GrowqrError):
    """This lease has passed to a later epoch; the writer must stop."""

    code, status = "fenced", 409


class Unavailable(GrowqrError):
    """A part of the instance is away; the same request works once it is back."""

    code, status, retryable = "unavailable", 503, True


class StoreUnavailable(Unavailable):
    """The database does not answer."""

    code = "store_unavailable"


class ModelUnavailable(Unavailable):
    """The model's server does not answer."""

    code = "model_unavailable"


class EngineUnavailable(Unavailable):
    """The container engine does not answer."""

    code = "engine_unavailable"


class BudgetExceeded(GrowqrError):
    """A budget is spent. `detail`: scope, unit, limit, spent."""

    code, status = "budget_exceeded", 402


class SecretUnreadable(GrowqrError):
    """A sealed secret cannot be opened: its key is missing, or it was moved or changed."""

    code = "secret_unreadable"


class ModelError(GrowqrError):
    """The model's server refused the request."""

    code, status = "model_error", 502


class ToolError(GrowqrError):
    """The tool call cannot be done as asked; the model is told why and may try again."""

    code, status = "tool_error", 422


class InstanceError(GrowqrError):
    """The instance cannot start or be reached on this machine."""

    code = "instance"


class NoRoom(InstanceError):
    """Ports or networks of services are used up; names the setting that gives more."""

    code = "no_room"


class ImageMissing(InstanceError):
    """An image is not on this machine and cannot be pulled or built."""

    code = "image_missing"
