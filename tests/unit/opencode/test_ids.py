"""Ids have the form the server takes, sort by time and are never equal."""

from __future__ import annotations

import re
from dataclasses import asdict

from growqr.opencode import PromptIds, new_prompt


def test_ids_have_opencodes_form() -> None:
    ids = new_prompt("ses_1", "/work", clock=lambda: 1_795_184_051.776)
    assert re.fullmatch(r"msg_[0-9a-f]{12}[0-9A-Za-z]{14}", ids.message_id)
    assert re.fullmatch(r"prt_[0-9a-f]{12}[0-9A-Za-z]{14}", ids.part_id)
    # A message the server itself made in that millisecond begins with the same digits.
    assert ids.message_id.startswith("msg_1f94ec6")


def test_ids_sort_by_time_and_differ() -> None:
    made = [new_prompt("ses_1", "/work", clock=lambda at=at: at / 1000) for at in range(500)]
    assert sorted(made, key=lambda ids: ids.message_id) == made
    same = {new_prompt("ses_1", "/work", clock=lambda: 1.0).message_id for _ in range(500)}
    assert len(same) == 500


def test_ids_survive_a_journal() -> None:
    ids = new_prompt("ses_1", "/work")
    assert PromptIds(**asdict(ids)) == ids
