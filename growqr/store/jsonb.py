"""JSON for the database: what Postgres cannot hold in jsonb is replaced, never refused late."""

from __future__ import annotations

import json
from typing import Any

from psycopg.types.json import Jsonb


def jsonb(value: Any) -> Jsonb | None:
    """`value` as a jsonb parameter; None is SQL null."""
    return None if value is None else Jsonb(value, dumps=dumps)


def dumps(value: Any) -> str:
    """Compact JSON without NUL and lone surrogates, which models and tools may utter."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" not in text and text.isascii():
        return text
    return json.dumps(storable(value), ensure_ascii=False, separators=(",", ":"))


def storable(value: Any) -> Any:
    """The same value with every string made acceptable to Postgres."""
    match value:
        case str():
            return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {storable(key): storable(entry) for key, entry in value.items()}
        case list() | tuple():
            return [storable(entry) for entry in value]
        case _:
            return value
