"""Where a stream goes on: `Last-Event-ID`, as browsers send it again, or `?after=`."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header, Query

from growqr.api.inputs import MAX_SEQ
from growqr.errors import Invalid

_SEQ = re.compile(r"[0-9]{1,19}", re.ASCII)


def _after(
    last_event_id: Annotated[
        str | None, Header(description="The last `id` seen; wins over `after`.")
    ] = None,
    after: Annotated[str | None, Query(description="Begin behind this `seq`.")] = None,
) -> int | None:
    text = after if last_event_id is None else last_event_id
    if text is None:
        return None
    if not _SEQ.fullmatch(text) or int(text) > MAX_SEQ:
        raise Invalid("Last-Event-ID and after are whole numbers, 0 or more")
    return int(text)


After = Annotated[int | None, Depends(_after)]
