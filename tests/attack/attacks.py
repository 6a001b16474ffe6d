"""The attacks that growqr must withstand, by numbers that never change. Gaps are free.

Each has a test in this folder, or with a browser in tests/ui, whose name begins `test_<number>_`,
or a line in later.py.
"""

from __future__ import annotations

from typing import Final

ATTACKS: Final[dict[int, str]] = {
    # Tokens of an issuer: all refused alike, with 401.
    1: "no Authorization header",
    2: "another scheme, or a bearer of nothing",
    3: "alg none, in any spelling",
    4: "HS256 under the public key as PEM",
    5: "HS256 under the public key as DER",
    6: "HS256 under the body of the PEM without its armour",
    7: "HS256 under an empty secret",
    9: "signed by another key that claims the right kid",
    10: "a header that brings its own key or names where to fetch one; nothing is fetched",
    12: "a thousand unknown kids ask the issuer for its keys once at most",
    13: "over for longer than clocks may differ",
    14: "not good yet",
    16: "a claim that must be there is missing",
    17: "of another issuer",
    18: "made for a page that is not ours",
    20: "a critical header that nobody knows",
    21: "a header of arrays in arrays, refused at once",
    25: "keys rotate: the new one works at once, the old one ends",
    27: "a good token in the query string",
    # Tenancy: what is another user's is not there.
    29: "reading whatever has an id, as somebody else",
    30: "changing or removing it, as somebody else",
    32: "somebody else's userId in the body",
    33: "lists among fifty users hold one's own alone",
    34: "somebody else's file or integration in one's own workflow",
    36: "somebody else's sub-agent under one's own path",
    37: "fields that only the server sets",
    # Keys, providers, browsers that are signed in.
    39: "an API key that is revoked, over, cut or mistyped",
    40: "a key that may read tries to write, everywhere",
    42: "a key is shown once: no list and no dump of the database has it",
    43: "a provider's callback without a state, with somebody else's, or with a used one",
    44: "a code that comes without its verifier",
    46: "a token of a provider in an address or a Referer",
    48: "sealed secrets that were swapped between two rows",
    # Webhooks.
    50: "a webhook with a bad signature, or none",
    52: "a webhook of minutes ago, or of minutes to come",
    53: "one delivery, twenty times at once",
    55: "a webhook that does not exist is like one that is switched off",
    56: "a body of 5 MB, announced",
    58: "an event of another customer of Stripe",
    # Input.
    59: "memory paths that lead elsewhere",
    61: "SQL and NUL in every text of every route",
    63: "an endless body of unknown length",
    64: "a model's name that is a command",
    65: "a repository's address that is a command or a file",
    67: "an address of a user's that is ours or private, by any notation, name or redirect",
    68: "an archive that leads elsewhere, or is a bomb",
    69: "a page that was uploaded and is fetched again",
    # Browsers.
    71: "a page of another origin asks for permission",
    73: "our pages in somebody else's frame",
    74: "markup in a model's words",
    # Sandboxes of services.
    76: "from a container to this machine, its services and other containers",
    77: "from a container to metadata services and private networks",
    78: "from a container to the world, past what is allowed",
    79: "secrets of ours inside a container",
    82: "powers and sockets inside a container",
    83: "system calls that are not for guests",
    84: "one container uses up what all need",
    # Ray, and operating an instance.
    86: "Ray's HTTP without its token",
    88: "Ray's control store without its token",
    89: "starting with Ray open to the network",
    90: "files and processes in which secrets might be seen",
    92: "metrics that strangers read",
    # Abuse and leaks.
    94: "more requests than a minute has room for",
    96: "sub-agents that make sub-agents without end",
    98: "canaries of every secret in all that an instance writes",
    99: "the time that a wrong API key takes",
    101: "links and hooks that a coding agent leaves in its worktree",
    102: "what is left of an account that was removed",
}
