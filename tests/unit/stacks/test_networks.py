"""Names and times of networks, which need no engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from growqr.stacks.docker.networks import interfaces, is_ours, moment


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-20T19:15:22.123456789Z", 123456),
        ("2026-11-20T19:15:22.5Z", 500000),
        ("2026-11-20T19:15:22Z", 0),
        ("2026-11-20T20:15:22.123456789+01:00", 123456),
        ("2026-11-20T20:15:22+01:00", 0),
    ],
)
def test_the_engines_times_are_read(text: str, microsecond: int) -> None:
    assert moment(text) == datetime(2026, 11, 20, 19, 15, 22, microsecond, tzinfo=UTC)


def test_names_of_bridges_have_room() -> None:
    assert len(interfaces("0123456789ab") + "0ac7035") <= 15


def test_an_address_of_this_machine_is_known() -> None:
    assert is_ours("127.0.0.1")
    assert not is_ours("192.0.2.254")
