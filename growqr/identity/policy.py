"""Who may do what: one function that every door asks. It knows no HTTP and no store."""

from __future__ import annotations

from typing import Literal, NamedTuple

from growqr.errors import Forbidden, GrowqrError, NotFound

Kind = Literal["token", "sign_in", "api_key", "stack"]
"""How somebody came in: a JWT, a browser's cookie, an API key, a service of a stack."""

Role = Literal["member", "admin"]
Verb = Literal["read", "write"]

GROUPS = frozenset({
    "actors", "config", "decisions", "files", "git", "memory", "opencode", "sub-agents", "threads",
    "timers", "turns", "users",
})  # fmt: skip
"""Groups of routes that scopes of API keys may name."""

PERSONAL = frozenset({"auth", "api-keys", "admin"})
"""Groups of routes that no key opens: a key can neither make keys nor let anybody in."""

OF_STACKS = frozenset({"git", "mcp"})
"""What a service of a stack may use, of its own user."""


class Principal(NamedTuple):
    """Who is calling. `via` names the token: `sgn_…`, a key's id, or the issuer's session.

    `expires`: seconds since 1970. `scopes` are those of an API key: `read`, `write`,
    `<group>:read` or `<group>:write`; None: not limited by scopes.
    """

    user_id: str
    name: str
    kind: Kind
    via: str
    expires: float
    role: Role = "member"
    scopes: frozenset[str] | None = None
    suspended: bool = False

    @property
    def api_key(self) -> str | None:
        """The id of the API key they came with, None when they came by another way."""
        return self.via if self.kind == "api_key" else None


class Access(NamedTuple):
    """What is asked for: a group of routes, how, and whose (`me`, an id; None: one's own)."""

    group: str
    verb: Verb
    owner: str | None = None


class Verdict(NamedTuple):
    """The rule that decided, and why not when it refused."""

    rule: str
    refusal: GrowqrError | None = None


def decide(who: Principal, access: Access) -> Verdict:
    """The first rule that applies. Strangers to a thing learn no more than that it is not there."""
    if who.suspended:
        return _forbidden("suspended", "this account is suspended; ask an admin")
    if not owns(who, access.owner):
        return Verdict("not_yours", NotFound("there is no such thing, or it is not yours"))
    if who.kind == "stack":
        return Verdict("own_stack") if access.group in OF_STACKS else _forbidden(
            "stacks_only_git_and_mcp", "a service's token opens git and memory tools only"
        )  # fmt: skip
    if who.kind == "api_key" and access.group in PERSONAL:
        return _forbidden("no_keys_here", "an API key does not open this; sign in as a person")
    if who.scopes is not None and not who.scopes & allowing(access):
        needed = f"{access.group}:{access.verb}"
        return _forbidden("scope", f"this API key lacks the scope {needed}", needs=needed)
    if access.group == "admin":
        admin = who.role == "admin"
        return Verdict("admin") if admin else _forbidden("admin_only", "this is for admins")
    return Verdict("own")


def owns(who: Principal, owner: str | None) -> bool:
    """Whether `owner`, as a request names one, is the caller."""
    return owner in (None, "me", who.user_id)


def allowing(access: Access) -> frozenset[str]:
    """The scopes each of which is enough. Whoever may write a thing may read it."""
    verbs = ("read", "write") if access.verb == "read" else ("write",)
    return frozenset(scope for verb in verbs for scope in (verb, f"{access.group}:{verb}"))


def _forbidden(rule: str, message: str, **facts: str) -> Verdict:
    return Verdict(rule, Forbidden(message, {"rule": rule, **facts}))
