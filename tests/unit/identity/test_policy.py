"""Who may do what, as a table: every kind of caller, role, set of scopes, group, verb and owner."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from growqr.errors import Forbidden, GrowqrError, NotFound
from growqr.identity import Access, Kind, Principal, Verb, decide, owns
from growqr.identity.policy import GROUPS, OF_STACKS, PERSONAL, Role, allowing

VERBS: tuple[Verb, ...] = ("read", "write")
ALL_GROUPS = sorted(GROUPS | PERSONAL | OF_STACKS)
PEOPLE = {"token", "sign_in"}
OWNERS = {None: True, "me": True, "u_a": True, "u_b": False, "": False, "ME": False, "u_a ": False}
"""Owner as a request names one → whether that is `u_a`."""

EVERY = {f"{group}:{verb}" for group in ALL_GROUPS for verb in VERBS}
SCOPES: dict[frozenset[str] | None, set[str]] = {
    None: EVERY,
    frozenset(): set(),
    frozenset({"read"}): {pair for pair in EVERY if pair.endswith(":read")},
    frozenset({"write"}): EVERY,
    frozenset({"read", "write"}): EVERY,
    frozenset({"memory:read"}): {"memory:read"},
    frozenset({"memory:write"}): {"memory:read", "memory:write"},
    frozenset({"memory:read", "git:write"}): {"memory:read", "git:read", "git:write"},
    frozenset({"memory", "memory:", "*", "write:memory", "memory:admin", "READ"}): set(),
    frozenset({"admin:write", "auth:write", "api-keys:write"}): {
        f"{group}:{verb}" for group in PERSONAL for verb in VERBS
    },
}
"""Scopes of an API key → what they name."""


def may(
    kind: Kind, role: Role, scopes: frozenset[str] | None, group: str, verb: Verb
) -> str | None:
    """The rule by which an owner may do this, None: they may not."""
    if kind == "stack":
        return "own_stack" if group in ("git", "mcp") else None
    if kind == "api_key" and (group in PERSONAL or f"{group}:{verb}" not in SCOPES[scopes]):
        return None
    if group == "admin":
        return "admin" if role == "admin" else None
    return "own"


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("role", get_args(Role))
def test_the_whole_table(kind: Kind, role: Role) -> None:
    scopes = SCOPES if kind == "api_key" else (None,)
    seen = 0
    for scope, group, verb, (owner, own), suspended in itertools.product(
        scopes, ALL_GROUPS, VERBS, OWNERS.items(), (False, True)
    ):
        who = Principal("u_a", "a", kind, "via", 0.0, role, scope, suspended)
        verdict = decide(who, Access(group, verb, owner))
        rule = may(kind, role, scope, group, verb)
        seen += 1
        if rule and own and not suspended:
            assert verdict == (rule, None), (who, group, verb, owner)
            continue
        assert verdict.refusal is not None, (who, group, verb, owner)
        assert type(verdict.refusal) is (NotFound if not own and not suspended else Forbidden)
    assert seen == len(scopes) * len(ALL_GROUPS) * 2 * len(OWNERS) * 2


def refused(kind: Kind, group: str, verb: Verb = "read", **who: object) -> tuple[str, GrowqrError]:
    caller = Principal("u_a", "a", kind, "via", 0.0)._replace(**who)
    rule, refusal = decide(caller, Access(group, verb))
    assert refusal is not None
    return rule, refusal


def test_a_refusal_names_its_rule_and_what_is_missing() -> None:
    for rule, (decided, refusal) in {
        "suspended": refused("token", "memory", suspended=True),
        "stacks_only_git_and_mcp": refused("stack", "memory"),
        "no_keys_here": refused("api_key", "auth", scopes=frozenset({"write"})),
        "scope": refused("api_key", "memory", "write", scopes=frozenset({"read"})),
        "admin_only": refused("token", "admin"),
    }.items():
        assert decided == rule == refusal.detail["rule"]
    assert refusal.detail == {"rule": "admin_only"}
    _, lacking = refused("api_key", "memory", "write", scopes=frozenset({"read"}))
    assert lacking.detail["needs"] == "memory:write"
    assert "memory:write" in lacking.message


def test_what_is_somebody_elses_looks_like_what_is_not_there() -> None:
    who = Principal("u_a", "a", "token", "via", 0.0, "admin")
    rule, refusal = decide(who, Access("memory", "read", "u_b"))
    assert rule == "not_yours"
    assert refusal is not None
    assert (refusal.status, refusal.detail) == (404, {})
    assert "u_b" not in refusal.message


def test_whoever_is_suspended_learns_that_before_all_else() -> None:
    who = Principal("u_a", "a", "api_key", "via", 0.0, "admin", frozenset(), True)
    for group, owner in itertools.product(ALL_GROUPS, OWNERS):
        assert decide(who, Access(group, "write", owner)).rule == "suspended"


def test_owners_and_scopes_as_the_policy_reads_them() -> None:
    who = Principal("u_a", "a", "token", "via", 0.0)
    assert {owner: owns(who, owner) for owner in OWNERS} == OWNERS
    assert allowing(Access("git", "write")) == {"write", "git:write"}
    assert allowing(Access("git", "read")) == {"read", "write", "git:read", "git:write"}


def test_only_whoever_came_by_a_key_has_one() -> None:
    for kind in get_args(Kind):
        key = Principal("u_a", "a", kind, "via", 0.0).api_key
        assert key == ("via" if kind == "api_key" else None)
