"""Every error is one shape: `application/problem+json` of RFC 9457 with a stable type and code."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from growqr.errors import GrowqrError, Invalid, Unauthorized, Unavailable
from growqr.redaction import blank, blanked

log = logging.getLogger(__name__)

TYPES = "https://growqr.dev/problems/"
RETRY_AFTER = "2"
"""Seconds after which a client may come back to what is away."""

UNTOLD = "something went wrong; the log has it under this request_id"

_SHOWN_ERRORS = 20
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Problem(BaseModel):
    """What went wrong. `code` is for machines, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None


class FieldError(BaseModel):
    """One thing wrong with the request, at `loc` such as `body.text`."""

    loc: str
    msg: str
    type: str


class ProblemResponse(Response):
    """A problem as an answer. ASCII only, so that nothing a client sent can break the encoding."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, default=str).encode()


def problem(
    error: GrowqrError, request_id: str, headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """The answer for an error; `error.detail` adds facts and may refine the code.

    Whatever it quotes, of a request or of a server behind us, what looks like a secret is blanked.
    """
    facts, extra = dict(error.detail), dict(headers or {})
    code = str(facts.pop("code", error.code))
    if isinstance(error, Unauthorized):
        extra["WWW-Authenticate"] = "Bearer"
    if error.status in (429, 503):
        extra["Retry-After"] = str(facts.pop("retry_after", RETRY_AFTER))
    body = blanked(facts) | {
        "type": TYPES + code,
        "title": code.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": blanked(error.message),
        "code": code,
        "request_id": request_id,
    }
    return ProblemResponse(body, error.status, extra)


def report(error: BaseException, request_id: str) -> None:
    """Log what should not have happened, without secrets, whatever else the process logs."""
    text = "".join(traceback.format_exception(error))
    log.error("request %s failed: %s", request_id, blank(text))


def install(app: FastAPI, allowed: Callable[[str], str]) -> None:
    """Answer every kind of error with a problem. `allowed` tells the methods of a path."""

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = allowed(request.url.path) or headers.get("Allow", "")
        return _http(error, headers, request_id(request))

    app.add_exception_handler(GrowqrError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, framework)


def request_id(request: Request) -> str:
    """The id this request is known by, in its answer and in the log."""
    return str(request.scope["state"]["request_id"])


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, GrowqrError)
    if error.status >= 500 and not isinstance(error, Unavailable):
        report(error, request_id(request))
        error = type(error)(UNTOLD)  # what it says is of this machine, and for its operator
    return problem(error, request_id(request))


async def _validation(request: Request, error: Exception) -> Response:
    """FastAPI's findings without the input itself, which may be large, secret or not encodable."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {
            "loc": ".".join(str(part)[:100] for part in found["loc"]),
            "msg": str(found["msg"]),
            "type": str(found["type"]),
        }
        for found in error.errors()[:_SHOWN_ERRORS]
    ]
    first = f"{errors[0]['loc']}: {errors[0]['msg']}" if errors else "the request is not valid"
    return problem(Invalid(first, {"errors": errors}), request_id(request))


def _http(error: HTTPException, headers: Mapping[str, str], request_id: str) -> Response:
    """Errors of the framework. Its 400 for a body it cannot parse is a 422 like all the others."""
    status = 422 if error.status_code == 400 else error.status_code
    code = _CODES.get(status, "invalid" if status < 500 else "internal")
    ours = GrowqrError(str(error.detail), {"code": code})
    ours.status = status  # type: ignore[misc]  # a class's; this one error has its own
    return problem(ours, request_id, headers)
