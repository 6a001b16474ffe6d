"""The OpenAPI document: what FastAPI derives, plus what holds for every route."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from growqr.api.idempotency import KEY_HEADER, PREFIX
from growqr.api.problems import FieldError, Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_DESCRIPTIONS = {
    "400": "What was sent cannot be used, or not any more.",
    "401": "A valid token is required: a bearer token, an API key, or a signed-in browser.",
    "403": "You are known, and may not do this; or the page may not speak for you.",
    "404": "There is no such thing, or it is not yours.",
    "409": "The thing is in another state, or the same request is still running.",
    "412": "It is not as `If-Match` or `If-None-Match` says.",
    "413": "The body, or the file asked for, is too large.",
    "422": "Something in the request is not allowed.",
    "429": "A limit is reached; try again later.",
    "503": "A part of the instance is away; try again.",
}
_COOKIE = "SignedInBrowser"
_COOKIE_SCHEME = {
    "type": "apiKey",
    "in": "cookie",
    "name": "growqr_session",
    "description": "Set by `POST /auth/exchange`; by https its name begins with `__Host-`.",
}
_KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "The same key with the same request has one effect and one answer for 24 h.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an app, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = made["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in (FieldError, Problem):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        made["components"]["securitySchemes"][_COOKIE] = _COOKIE_SCHEME
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(path, method, operation)
        app.openapi_schema = made
    return app.openapi_schema


def allowed(app: FastAPI, path: str) -> str:
    """The methods of all routes at a path, for `Allow`: the framework names one route's only."""
    path = path if path.startswith(PREFIX) else PREFIX + path
    methods: set[str] = set()
    for template, operations in document(app)["paths"].items():
        form = re.escape(template).replace(r"\{path\}", ".+")
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", form), path):
            methods |= {method.upper() for method in operations}
    return ", ".join(sorted(methods))


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Declare the problems an operation may answer with, and the key of its POST."""
    answers = operation["responses"]
    answers.pop("422", None)
    operations = operation.get("tags") == ["operations"]
    codes = ["503"] if operations else _problems(path, method, signed="security" in operation)
    for code in codes:
        answers[code] = {"description": _DESCRIPTIONS[code], "content": _PROBLEM}
    if "security" in operation:
        operation["security"] = [*operation["security"], {_COOKIE: []}]
        if method == "post":
            operation.setdefault("parameters", []).append(_KEY)


def _problems(path: str, method: str, *, signed: bool) -> list[str]:
    codes = ["401", "403", "422", "429", "503"]
    writes = method in ("post", "put", "patch")
    if not signed:
        return sorted([*codes, "400", *(["404", "413"] if writes else [])])
    if "{" in path or writes or path.endswith("/files"):
        codes.append("404")  # a folder that is not there
    if writes:
        codes.append("413")
    if method in ("post", "patch") or ("/contents/" in path and method != "get"):
        codes.append("409")
    if path.endswith("/memory/{path}") and method == "put":
        codes.append("412")
    if path.endswith(("/contents/{path}", "/files/{path}")) and method == "get":
        codes.append("413")  # a file too large to be shown
    return sorted(codes)
