"""Secrets at rest: what is sealed opens in its place, with its key, unchanged, and never else."""

from __future__ import annotations

import base64
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from growqr.config import Settings
from growqr.errors import InstanceError, SecretUnreadable
from growqr.identity import KeyRing, Place, new_key
from growqr.identity.crypto import ring_path

PLACE = Place("oauth_account", "u_alice/github", "tokens", "u_alice")
KEY = base64.b64encode(bytes(range(32))).decode()
PLACES = st.builds(Place, *(st.text("ab|\\/", max_size=6),) * 4)


def settings(folder: Path, keys: str | None = None) -> Settings:
    return Settings.model_validate({"data": folder, "encryption_key": keys})


RING = KeyRing(settings(Path("unused"), KEY))


@given(st.text(), PLACES)
def test_what_is_sealed_opens_in_its_place(text: str, place: Place) -> None:
    assert RING.unseal(RING.seal(text, place), place) == text


@given(st.text(), PLACES, PLACES)
@example("x", Place("a|b", "c", "d", "e"), Place("a", "b|c", "d", "e"))
@example("x", Place("a\\", "|b", "d", "e"), Place("a\\|", "b", "d", "e"))
def test_in_any_other_place_it_does_not_open(text: str, place: Place, other: Place) -> None:
    """Attack 48, for places whose parts try to look like other parts too."""
    sealed = RING.seal(text, place)
    if other != place:
        with pytest.raises(SecretUnreadable):
            RING.unseal(sealed, other)


@pytest.mark.parametrize("text", ["", "a", "ab", "abc"])
def test_every_bit_of_the_text_counts(text: str) -> None:
    """Also those of the last letter that base64 does not need."""
    sealed = RING.seal(text, PLACE).encode()
    for at in range(len(sealed)):
        for bit in range(7):
            changed = bytes([*sealed[:at], sealed[at] ^ 1 << bit, *sealed[at + 1 :]])
            with pytest.raises(SecretUnreadable), capture_logs():
                RING.unseal(changed.decode(), PLACE)


@given(st.text(max_size=40), st.data())
def test_any_flipped_bit_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(text, PLACE), "ascii")
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 6))
    with pytest.raises(SecretUnreadable):
        RING.unseal(sealed.decode(), PLACE)


@pytest.mark.parametrize(
    "text", ["", "v1", "v1.deadbeef..", "v2" + RING.seal("x", PLACE)[2:], "ghp_plain",
             RING.seal("x", PLACE) + "\n", RING.seal("x", PLACE) + "=", "\ud800"],
    ids=["nothing", "a version", "no parts", "another version", "plain", "a line", "a pad", "half"],
)  # fmt: skip
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    with pytest.raises(SecretUnreadable):
        RING.unseal(text, PLACE)


def test_every_sealing_is_another_text() -> None:
    assert len({RING.seal("same", PLACE) for _ in range(50)}) == 50


def test_a_moved_secret_is_an_error_and_an_alert_without_the_secret() -> None:
    sealed = RING.seal("ghp_canary", PLACE)
    with capture_logs() as lines, pytest.raises(SecretUnreadable) as caught:
        RING.unseal(sealed, PLACE._replace(row="u_bob/github", user="u_bob"))
    assert [line["log_level"] for line in lines] == ["error"]
    assert lines[0]["row"] == "u_bob/github"
    assert caught.value.status == 500
    assert "ghp_canary" not in str(lines) + caught.value.message
    assert sealed not in str(lines) + caught.value.message


def test_the_first_key_seals_and_all_open(tmp_path: Path) -> None:
    fresh = new_key()
    both = KeyRing(settings(tmp_path, f"{fresh}, {KEY}"))
    assert both.unseal(RING.seal("old", PLACE), PLACE) == "old"
    sealed = both.seal("new", PLACE)
    assert sealed.split(".")[1] == both.active == KeyRing(settings(tmp_path, fresh)).active
    assert not list(tmp_path.iterdir())
    with pytest.raises(SecretUnreadable, match=f"{both.active}.* not in ENCRYPTION_KEY"):
        RING.unseal(sealed, PLACE)


@pytest.mark.parametrize(
    "keys", [",", " ", KEY + ",", "a" * 32, base64.b64encode(bytes(31)).decode(), KEY[:-1], "é",
             base64.b64encode(bytes(33)).decode(), f"{KEY};{KEY}", "!" + KEY],
)  # fmt: skip
def test_a_wrong_key_is_refused_with_the_way_to_a_right_one(tmp_path: Path, keys: str) -> None:
    with pytest.raises(InstanceError, match=r"ENCRYPTION_KEY.*growqr keys new") as caught:
        KeyRing(settings(tmp_path, keys))
    assert KEY not in caught.value.message


def test_without_a_setting_the_ring_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = KeyRing(settings(tmp_path))
    path = ring_path(settings(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = KeyRing(settings(tmp_path, ""))
    assert again.unseal(first.seal("x", PLACE), PLACE) == "x"


def test_of_several_that_start_at_once_all_use_one_key(tmp_path: Path) -> None:
    """Threads meet more closely than processes; the lock is the same between both."""
    for turn in range(20):
        together = threading.Barrier(6)

        def start(folder: Path = tmp_path / str(turn), gate: threading.Barrier = together) -> str:
            gate.wait(10)
            return KeyRing(settings(folder)).active

        with ThreadPoolExecutor(6) as pool:
            started = [pool.submit(start) for _ in range(6)]
        assert len({one.result() for one in started}) == 1


def test_a_rotated_ring_is_followed_without_a_restart(tmp_path: Path) -> None:
    one, other = KeyRing(settings(tmp_path)), KeyRing(settings(tmp_path))
    before = one.seal("before", PLACE)
    assert one.rotate()
    after = one.seal("after", PLACE)
    assert after.split(".")[1] != before.split(".")[1]
    assert other.unseal(after, PLACE) == "after"
    assert other.unseal(before, PLACE) == "before"
    assert other.kids == one.kids
    assert stat.S_IMODE(ring_path(settings(tmp_path)).stat().st_mode) == 0o600


def test_a_key_that_shows_up_is_found_although_the_time_of_the_file_is_the_same(
    tmp_path: Path,
) -> None:
    one, other = KeyRing(settings(tmp_path)), KeyRing(settings(tmp_path))
    path = ring_path(settings(tmp_path))
    before = path.stat()
    fresh = KeyRing(settings(tmp_path / "x", new := new_key()))
    path.write_text(f"{new}\n{path.read_text()}")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert other.unseal(fresh.seal("late", PLACE), PLACE) == "late"
    assert one.unseal(other.seal("x", PLACE), PLACE) == "x"


def test_a_ring_that_went_away_is_an_error_that_names_it(tmp_path: Path) -> None:
    ring = KeyRing(settings(tmp_path))
    ring_path(settings(tmp_path)).unlink()
    with pytest.raises(InstanceError, match=r"encryption\.keys"):
        ring.seal("x", PLACE)


def test_a_ring_of_the_setting_is_not_rotated_here(tmp_path: Path) -> None:
    ring = KeyRing(settings(tmp_path, KEY))
    assert not ring.rotate()
    assert ring.kids == RING.kids
