"""`Idempotency-Key` on POSTs: the answer is kept in the effect's own transaction for 24 hours."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from growqr.errors import Invalid
from growqr.store import Store

KEY_HEADER = "Idempotency-Key"
PREFIX = "/api/v1"

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def check_key(key: str | None) -> str | None:
    """The key as it came. Raises Invalid when it is not 1 to 255 printable ASCII characters."""
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid(f"{KEY_HEADER} must be 1 to 255 printable ASCII characters")
    return key


async def once(
    store: Store,
    user_id: str,
    key: str,
    request: Request,
    endpoint: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    """The endpoint's answer, or the former one of an equal request.

    The endpoint finds the transaction's connection in `request.state.conn`. An error leaves no
    record, so the same key may be tried again. Raises Invalid for another body under the same
    key, Conflict while the first is still running.
    """
    path = str(request.scope["path"]).removeprefix(PREFIX).removeprefix("/api/")
    route = f"POST /{path.lstrip('/')}"
    body = hashlib.sha256(await request.body()).digest()
    async with store.idempotency.once(user_id, key, route, body) as slot:
        if slot.answer is None:
            request.state.conn = slot.conn
            response = await endpoint(request)
            if response.status_code >= 400:
                return response
            slot.answer = (response.status_code, json.loads(bytes(response.body)))
            return response
        status, answer = slot.answer
    return JSONResponse(answer, status)
