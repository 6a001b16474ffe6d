"""Who may become a user: whom the gate lets in, or an invite."""

from __future__ import annotations

from growqr.api.context import Context
from growqr.config import Settings
from growqr.errors import Forbidden
from growqr.identity import Identity
from growqr.store import Act, User


async def join(
    here: Context, person: Identity, invite: bytes | None = None, by: Act | None = None
) -> User:
    """The user of this identity, made at first sight. Raises Forbidden, Conflict.

    The gate is asked once: whoever is a user stays one until an admin says otherwise. `by`: from
    where they come, for the audit log.
    """
    known = await here.store.users.get(person.user_id)
    if known is not None:
        return known
    email = (person.email or "").lower() or None
    # Also where the gate is open: an invite says as what they come.
    found = await here.store.invites.open(invite, email) if invite or email else None
    opened = open_to(here.settings, person, email)
    if found is None and not opened:
        raise Forbidden(
            "you have not been invited, and the gate is not open to this e-mail address",
            {"rule": "gate"},
        )
    by = (by or Act(person.user_id, ""))._replace(rule="invite" if found else "gate")
    return await here.store.users.ensure(
        person.user_id, issuer=person.issuer, subject=person.subject, name=person.name,
        email=email, invite=found.id if found else None, by=by,
    )  # fmt: skip


def open_to(settings: Settings, person: Identity, email: str | None) -> bool:
    """Whether the gate lets in whom this issuer vouches for."""
    allowed = {entry.lower() for entry in settings.allowed_emails}
    if not allowed or "*" in allowed or person.issuer.startswith("growqr:"):
        return True
    name, _, domain = (email or "").rpartition("@")
    return bool(name) and bool({email, f"@{domain}"} & allowed)
