"""API keys: their form, their check, and that what is mistyped is none. Tickets beside them."""

from __future__ import annotations

import hashlib
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growqr.identity import make_key, new_ticket, read_key, read_ticket

KEY, PROOF = make_key()
ALPHABET = string.ascii_letters + string.digits + "_-. \n\x00é"
seeds = st.one_of(st.none(), st.text(min_size=1))


@given(seeds)
def test_every_key_has_the_form_and_is_read_as_it_was_made(seed: str | None) -> None:
    key, proof = make_key(seed)
    assert re.fullmatch(r"gq_[A-Za-z0-9]{8}_[A-Za-z0-9]{49}", key)
    assert read_key(key) == proof
    assert key.split("_")[1] == proof.id
    assert proof.sha == hashlib.sha256(key.encode()).digest()


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_seed_chooses_the_id_and_never_the_key(seed: str, other: str) -> None:
    (first, one), (again, two) = make_key(seed), make_key(seed)
    assert one.id == two.id
    assert first != again
    assert one.sha != two.sha
    assert (make_key(other)[1].id == one.id) == (seed == other)


@given(st.integers(0, len(KEY) - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_makes_it_none(place: int, character: str) -> None:
    typed = KEY[:place] + character + KEY[place + 1 :]
    assert (read_key(typed) == PROOF) == (typed == KEY)
    assert read_key(typed) is None or typed == KEY


def test_every_single_typing_mistake_is_noticed() -> None:
    for place in range(len(KEY)):
        assert read_key(KEY[:place] + KEY[place + 1 :]) is None
        assert read_key(KEY[:place] + "x" + KEY[place:]) is None
        swapped = KEY[:place] + KEY[place : place + 2][::-1] + KEY[place + 2 :]
        assert swapped == KEY or read_key(swapped) is None
    for character in string.ascii_letters + string.digits:
        for place in range(3, len(KEY)):
            typed = KEY[:place] + character + KEY[place + 1 :]
            assert typed == KEY or read_key(typed) is None


@given(st.text())
def test_no_other_text_is_a_key(text: str) -> None:
    assert read_key(text) is None
    assert read_key(KEY + text) == (PROOF if not text else None)


@pytest.mark.parametrize(
    "text",
    ["", "gq_", KEY.lower(), KEY.upper(), f" {KEY}", f"{KEY}\n"],
    ids=["nothing", "a prefix", "lower", "upper", "space", "line"],
)
def test_nor_is_one_in_other_clothes(text: str) -> None:
    assert read_key(text) is None


def test_keys_are_all_different() -> None:
    made = [make_key()[0] for _ in range(500)]
    assert len({key[:11] for key in made}) == len({key[12:] for key in made}) == 500


def test_a_ticket_is_kept_as_its_hash() -> None:
    text, sha = new_ticket()
    assert re.fullmatch(r"[\w-]{43}", text, re.ASCII)
    assert read_ticket(text) == sha == hashlib.sha256(text.encode()).digest()
    assert new_ticket()[0] != text


@pytest.mark.parametrize("text", [None, "", "x", "x" * 42, "x" * 44, "x" * 42 + "\n", "é" * 43])
def test_what_cannot_be_a_ticket_is_none(text: str | None) -> None:
    assert read_ticket(text) is None
