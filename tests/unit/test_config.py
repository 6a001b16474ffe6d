"""A name that is no setting is refused, wherever it is set: a typo must not be silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from growqr.config import load
from growqr.errors import InstanceError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_typo_in_the_environment_is_named_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GROWQR_LIMIT_STREAM", "5")
    with pytest.raises(InstanceError, match=r"the environment sets it; .* GROWQR_LIMIT_STREAMS"):
        load()


def test_a_typo_in_the_file_too(here: Path) -> None:
    (here / ".env").write_text("OTHER=1\nGROWQR_LIMIT_STREAMS=5\nGROWQR_XYZZY=1\n")
    with pytest.raises(InstanceError, match=r"no setting GROWQR_XYZZY, but \.env sets it"):
        load()


def test_what_is_right_is_read(here: Path) -> None:
    (here / ".env").write_text("POSTGRES_PASSWORD=x\nGROWQR_LIMIT_STREAMS=5\n")
    assert load().limit_streams == 5
