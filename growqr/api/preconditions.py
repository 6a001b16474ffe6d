"""What must hold when a write arrives: that there is no file, or still the one that was read."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Header

from growqr.errors import Invalid

_VERSION = re.compile(r'"(mem_[0-9a-f]{32})"', re.ASCII)


class Precondition(NamedTuple):
    """`fresh`: there is no such file; `behind`: the version that must be its newest one."""

    fresh: bool
    behind: str | None


def _asked(
    if_none_match: Annotated[
        str | None, Header(description="`*`: only if there is no such file.")
    ] = None,
    if_match: Annotated[
        str | None, Header(description='`"<version>"`: only if that is the newest still.')
    ] = None,
) -> Precondition:
    if if_none_match not in (None, "*"):
        raise Invalid("If-None-Match can only be *")
    found = None if if_match is None else _VERSION.fullmatch(if_match)
    if if_match is not None and found is None:
        raise Invalid('If-Match is the quoted version of a file, such as "mem_…"')
    return Precondition(if_none_match == "*", found and found[1])


Unchanged = Annotated[Precondition, Depends(_asked)]
