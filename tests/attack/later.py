"""Attacks that cannot be tried yet: which part of the product brings each, and why not before.

The part that brings one adds its test and removes its line here.
"""

from __future__ import annotations

from typing import Final

LATER: Final[dict[int, str]] = {
    34: "workflows: no workflow exists yet that could name a file or an integration.",
    50: "webhooks: no door yet; the check itself is tested in tests/unit/integrations.",
    52: "webhooks: no door yet; the check itself is tested in tests/unit/integrations.",
    53: "webhooks: there is neither a door nor an execution that could run twice.",
    55: "webhooks: no webhook can be made or switched off yet.",
    58: "Stripe: nobody has a plan yet; the signature is tested in tests/unit/integrations.",
    64: "external coding agents: no program is started with the name of a model.",
    65: "repositories of others: no door yet; git's safe start is in tests/unit/integrations.",
    67: "webhooks: no door takes an address yet; the guard is tested in tests/unit/integrations.",
    68: "uploads: nothing takes an archive apart.",
    101: "external coding agents: no worktree is compared or accepted yet.",
    102: "removal of accounts: nobody can remove one yet.",
}
