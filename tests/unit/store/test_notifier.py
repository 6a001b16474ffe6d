"""Hints get through whatever a reply is made of."""

from __future__ import annotations

import asyncio
import json

import pytest

from growqr.events import Delta
from growqr.store import DELTAS, Store

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "text", ["\N{GRINNING FACE}" * 2000, "\x01" * 2000, "ä" * 9000, "x" * 9000]
)
async def test_a_long_delta_arrives_in_pieces(store: Store, text: str):
    ids = {"user_id": "u_" + "x" * 32, "thread_id": "thr_" + "0" * 32, "turn_id": "trn_" + "0" * 32}
    notes = store.listen(DELTAS)
    await asyncio.wait_for(anext(notes), 5)
    delta = Delta(**ids, step_id="stp_" + "0" * 32, epoch=10**9, offset=10**6, text=text)
    await store.notifier.delta(delta)
    heard = ""
    while len(heard) < len(text):
        _, payload = await asyncio.wait_for(anext(notes), 5)
        piece = json.loads(payload)
        if piece["user_id"] == ids["user_id"] and piece["text"][:1] == text[:1]:
            assert piece["offset"] == 10**6 + len(heard)
            heard += piece["text"]
    assert heard == text
