"""How the broker and its clients write to each other: JSON of specs, states and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from growqr import errors
from growqr.errors import GrowqrError, Invalid
from growqr.stacks.base import ServiceSpec, ServiceStatus

BEAT: Final = 10.0
"""Seconds after which a stream with nothing to say sends an empty line."""

STATUS: Final = TypeAdapter(ServiceStatus)
_SPEC: Final = TypeAdapter(ServiceSpec)


def write_spec(spec: ServiceSpec) -> bytes:
    """JSON of a spec, its secrets included."""
    return _SPEC.dump_json(spec)


def read_spec(text: bytes) -> ServiceSpec:
    """A spec whose fields have their types. Raises Invalid naming the field, never its value."""
    try:
        return _SPEC.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "spec"
        raise Invalid(f"{field}: {first['msg']}", {"field": field}) from None


def write_error(error: GrowqrError) -> dict[str, Any]:
    """An error as it is."""
    return {"code": error.code, "message": error.message, "detail": error.detail}


def read_error(told: Any) -> GrowqrError:
    """The error again, as the class that has its code."""
    if not isinstance(told, dict):
        return GrowqrError("the broker answered something else than an error of ours")
    detail = told.get("detail")
    kind = _KINDS.get(str(told.get("code")), GrowqrError)
    return kind(str(told.get("message", "")), detail if isinstance(detail, dict) else None)


def line(told: dict[str, Any]) -> bytes:
    """One line of a stream."""
    return json.dumps(told).encode() + b"\n"


def _kinds(kind: type[GrowqrError]) -> Iterator[type[GrowqrError]]:
    for below in kind.__subclasses__():
        yield from _kinds(below)
    yield kind


_KINDS: Final = {
    kind.code: kind for kind in _kinds(GrowqrError) if kind.__module__ == errors.__name__
}
