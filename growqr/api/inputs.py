"""What may come in: texts that every part behind can hold, opaque cursors, bodies of requests."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

from growqr.errors import Invalid, NotFound
from growqr.names import Prefix, is_id

MAX_TEXT = 200_000
"""Bytes of a text in UTF-8."""

MAX_SEQ = 2**63 - 1


def plain(text: str) -> str:
    """`text` unless Postgres or UTF-8 cannot hold it. Raises ValueError."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("must not contain lone surrogates") from None
    if size > MAX_TEXT:
        raise ValueError(f"must not be larger than {MAX_TEXT} bytes")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


_Sized = StringConstraints(max_length=MAX_TEXT)
Text = Annotated[str, _Sized, AfterValidator(plain)]
FullText = Annotated[str, StringConstraints(min_length=1), _Sized,
                     AfterValidator(plain), AfterValidator(_not_blank)]  # fmt: skip
Title = Annotated[FullText, StringConstraints(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200, description="Items in a page.")]
Words = Annotated[FullText, Query(max_length=500, description="Words to look for.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next_cursor` of a page.")]


class Body(BaseModel):
    """A request's body: unknown fields are refused. `userId`, if sent, must be the caller."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[Text | None, Field(validation_alias=AliasChoices("user_id", "userId"))] = (
        None
    )


class NewMessage(Body):
    """A message to the Grow Agent; without a thread it goes to the master thread."""

    text: FullText
    thread_id: Annotated[
        Text | None,
        Field(validation_alias=AliasChoices("thread_id", "threadId", "channel_id", "channelId")),
    ] = None


class NewSubAgent(Body):
    """A sub-agent of a type, in a channel."""

    type: Title
    channel_id: Annotated[
        str | None,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$"),
        Field(validation_alias=AliasChoices("channel_id", "channelId")),
    ] = None


class NewSession(NewSubAgent):
    """A session in the workspace."""

    type: Title = "general"


class NewTask(Body):
    """What a sub-agent shall do; it knows nothing else."""

    prompt: Annotated[FullText, Field(validation_alias=AliasChoices("prompt", "text"))]


class NewThread(Body):
    """A side conversation."""

    title: Title


class ThreadChange(Body):
    """Another title for a thread; or put it away, or have it back."""

    title: Title | None = None
    archived: bool | None = None


class NewContent(Body):
    """What a memory file shall hold; `message` describes the commit."""

    content: Text
    message: Title | None = None


class Undone(Body):
    """The version that shall be undone: the newest one of its file."""

    id: Text


def known_id(text: str, prefix: Prefix, noun: str) -> str:
    """`text` if it has the form of such an id. Raises NotFound, as for one that is not there."""
    if not is_id(text, prefix):
        raise NotFound(f"there is no such {noun}")
    return text


CursorKind = Literal[
    "thread",
    "decision",
    "sub_agent",
    "event",
    "message",
    "path",
    "history",
    "repo",
    "commit",
    "timer",
    "api_key",
    "user",
    "invite",
    "audit",
]


def make_cursor(kind: CursorKind, last: str | int) -> str:
    """An opaque cursor after the item `last`."""
    raw = json.dumps([kind, last], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_cursor(kind: CursorKind, text: str | None, of: type[Any]) -> Any:
    """What `make_cursor` was given, or None without a cursor. Raises Invalid."""
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found, last = json.loads(raw)
        good = found == kind and type(last) is of
        good = good and (0 <= last <= MAX_SEQ if of is int else bool(plain(last)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        good = False
    if not good:
        raise Invalid("the cursor is not one of this list", {"code": "bad_cursor"})
    return last
