"""Every derived name and id. Built here, read nowhere by slicing strings.

Ids sort by time: `<prefix>_<uuid7 hex>`. Actor names are `<lease key>#<epoch>`, so that Ray can
never hand out the actor of an older epoch under a new one's name.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal

import uuid_utils

NAMESPACE = "growqr"
"""Ray namespace of every actor of ours."""

SUPERVISOR = "supervisor"

RESTORED: Final = "RESTORED RECORD"
"""Begins what OpenCode is told of earlier work: nobody's wish, the offline model passes it over."""

EVERYBODY: Final = "*"
"""Stands for a user id in a hint that is about all of them."""

GROW_AGENTS, SUB_AGENTS = "grow-agent:", "sub-agent:"
"""What the lease keys of agents begin with."""

Prefix = Literal["msg", "trn", "thr", "stp", "mem", "req", "dec", "tmr", "sgn", "inv", "str"]

LOCAL_USER = re.compile(r"[a-z0-9-]{1,32}")
GITEA_NAME: Final = 40
"""Characters that an account on a Gitea may have."""

MEMORY_REPO: Final = "growqr-memory"
"""The repository on a Gitea that mirrors a user's memory."""

_GITEA_REFUSES = re.compile(r"^[^A-Za-z0-9]|[-._]{2}|[-._]$|[^-.\w]")
_STACK_BEARER = re.compile(r"stack:([A-Za-z0-9_-]+):([a-z]+)")
_ID = re.compile(r"(msg|trn|thr|stp|mem|req|dec|tmr|sgn|inv|str)_[0-9a-f]{32}")


def new_id(prefix: Prefix) -> str:
    """A fresh id that sorts after every earlier one of this process: `trn_0198…`."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def derived_id(prefix: Prefix, *parts: object) -> str:
    """The same id for the same parts: what a successor repeats meets its predecessor's row."""
    text = "\n".join(str(part) for part in parts)
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def is_id(text: str, prefix: Prefix) -> bool:
    """Whether `text` has the form of an id of this kind (says nothing about existence)."""
    return bool(_ID.fullmatch(text)) and text.startswith(prefix + "_")


def local_user_id(name: str) -> str:
    """Id of a user of the local issuer: alice → `u_alice`."""
    if not LOCAL_USER.fullmatch(name):
        raise ValueError(f"user name {name!r} must match {LOCAL_USER.pattern}")
    return f"u_{name}"


def foreign_user_id(issuer: str, subject: str) -> str:
    """Opaque id of another issuer's user: `u_<20 hex>`, equal for equal (issuer, subject)."""
    return "u_" + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:20]


def grow_agent(user_id: str) -> str:
    """Lease key of the user's Grow Agent."""
    return f"{GROW_AGENTS}{user_id}"


def sub_agent(user_id: str, sub_agent_id: str) -> str:
    """Lease key of a sub-agent."""
    return f"{SUB_AGENTS}{user_id}:{sub_agent_id}"


def is_sub_agent(key: str) -> bool:
    """Whether a lease key is a sub-agent's."""
    return key.startswith(SUB_AGENTS)


def sub_agent_id(kind: str) -> str:
    """A fresh id of a sub-agent: `coding-3f9a1c02`."""
    return f"{kind}-{uuid_utils.uuid4().hex[:8]}"


def stack(user_id: str) -> str:
    """Lease key of the one reconciler of the user's services."""
    return f"stack:{user_id}"


def stack_bearer(user_id: str, role: str) -> str:
    """Subject of the token a service of the user's stack shows: no lease key is like it."""
    return f"stack:{user_id}:{role}"


def service_of(subject: str) -> tuple[str, str] | None:
    """(user id, role) of a token's subject, None when it is no service's."""
    found = _STACK_BEARER.fullmatch(subject)
    return (found[1], found[2]) if found else None


def service(role: str, user_id: str) -> str:
    """Name of a service: its process record, and its container."""
    return f"growqr-{role}-{user_id}"


def memory(user_id: str) -> str:
    """Lease key of the one writer of the user's memory repository."""
    return f"memory:{user_id}"


def mirror(user_id: str) -> str:
    """Lease key of the one who pushes the user's repositories to Gitea."""
    return f"mirror:{user_id}"


def gitea_account(user_id: str) -> str:
    """The user's account on a Gitea: the id, unless Gitea's rules for names forbid it."""
    fits = len(user_id) <= GITEA_NAME and not _GITEA_REFUSES.search(user_id)
    return user_id if fits else f"u-{hashlib.sha256(user_id.encode()).hexdigest()[:20]}"


def gitea_repo(name: str) -> str:
    """The repository on a Gitea that mirrors the project repository `name`."""
    taken = name == MEMORY_REPO or name.endswith((".wiki", ".rss", ".atom", ".git"))
    return f"{name}-{hashlib.sha256(name.encode()).hexdigest()[:6]}" if taken else name


def actor(key: str, epoch: int) -> str:
    """Ray name of the actor that may take `epoch` of the lease `key`."""
    return f"{key}#{epoch}"


def host(host_id: str) -> str:
    """Ray name of the Host on one node."""
    return f"host:{host_id}"


def model_call(step_id: str, epoch: int, attempt: int) -> str:
    """Ledger key of one call to a model: a repeated write of the same call changes nothing."""
    return f"{step_id}.{epoch}.{attempt}"
