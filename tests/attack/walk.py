"""Every route, generated from the OpenAPI document, with ids of things that are really there.

A new route is walked by itself; one whose ids are unknown here fails the walk until they are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.attack.house import API

PUBLIC = frozenset({
    "/livez", "/readyz", "/health", "/version", "/config", "/auth/exchange", "/openapi.json",
    "/docs", "/auth/{provider}", "/auth/{provider}/callback",
    "/", "/app", "/app/{path}", "/assets/{path}", "/app/assets/{path}",
})  # fmt: skip
"""Routes for anybody: they name nobody's things."""

APART = frozenset({
    "/actors/start", "/actors/stop", "/git/{user}/{repo}.git/info/refs",
    "/git/{user}/{repo}.git/{service}", "/mcp",
})  # fmt: skip
"""Routes that the document leaves out and that tests walk by hand."""

UNKNOWN: Mapping[str, str] = {
    "user": "u_nobody", "workspace_id": "u_nobody", "member_id": "u_nobody",
    "sub_agent_id": "coding-00000000", "session_id": "coding-00000000", "key_id": "00000000",
    "repo": "nothing", "path": "no/such.md", "provider": "nobody",
    "decision_id": "dec_" + "0" * 32, "invite_id": "inv_" + "0" * 32,
    "message_id": "msg_" + "0" * 32, "sign_in_id": "sgn_" + "0" * 32,
    "thread_id": "thr_" + "0" * 32, "timer_id": "tmr_" + "0" * 32, "turn_id": "trn_" + "0" * 32,
    "id": "mem_" + "0" * 32,
}  # fmt: skip
"""Of the same form as real ones, and nobody's."""

_BODIES: dict[str, dict[str, Any]] = {
    "Change": {"role": "admin"},
    "NewApiKey": {"name": "x", "scopes": ["read"]},
    "NewSession": {"type": "general"},
    "NewSubAgent": {"type": "coding"},
    "NewTimer": {"text": "x", "seconds": 3600},
    "ThreadChange": {"title": "another title"},
}
"""Where the least that the schema asks for is not enough."""


@dataclass(frozen=True)
class Operation:
    """One method of one path; `body` is what it takes, None when it takes none."""

    method: str
    path: str
    spec: Mapping[str, Any]
    body: dict[str, Any] | None

    @property
    def ids(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def signed(self) -> bool:
        return "security" in self.spec

    @property
    def streams(self) -> bool:
        return self.path.endswith("/events")

    @property
    def group(self) -> str:
        return str(self.spec["tags"][0])

    def url(self, values: Mapping[str, str]) -> str:
        """The path behind /api/v1 with these ids; KeyError for one that is not known."""
        filled = {name: quote(values[name], safe="/") for name in self.ids}
        return self.path.removeprefix(API).format(**filled)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(app: FastAPI) -> list[Operation]:
    """All that the document speaks of, removals last."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    found = [
        Operation(method.upper(), path, spec, _body(spec, schemas))
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return sorted(found, key=lambda one: (order.index(one.method), one.path))


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """(method, path without what aliases have before it) of everything the app answers."""
    for route in iter_route_contexts(app.routes):
        path = re.sub(r":\w+\}", "}", str(route.path))
        for prefix in (API, "/api"):
            path = path.removeprefix(prefix) if path.startswith(prefix + "/") else path
        for method in (getattr(route, "methods", None) or {"GET"}) - {"HEAD", "OPTIONS"}:
            yield method, path


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The least that a schema takes."""
    if reference := schema.get("$ref"):
        name = str(reference).rpartition("/")[2]
        return _BODIES[name] if name in _BODIES else example(schemas[name], schemas)
    if options := schema.get("anyOf"):
        return example(options[0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: example(properties[name], schemas) for name in schema.get("required", ())}
    simple = {"string": "x", "integer": 1, "number": 1.0, "boolean": True, "array": []}
    return simple[str(schema["type"])]


def _body(spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any] | None:
    if "requestBody" not in spec:
        return None
    made = example(spec["requestBody"]["content"]["application/json"]["schema"], schemas)
    assert isinstance(made, dict)
    return made
