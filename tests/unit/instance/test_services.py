"""`down` ends the users' services by their records; a new start leaves them to be adopted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from growqr.config import Providers, load
from growqr.instance import folder, plan, ports, stop
from growqr.instance.processes import boot_id, identify
from growqr.instance.services import ServiceRecord, end_all, record_path, records

NO_KEYS = Providers.model_construct(
    anthropic_api_key=None, anthropic_base_url=None, openai_api_key=None, openai_base_url=None
)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[ServiceRecord]:
    """A service that runs, recorded in a prepared folder."""
    folder.prepare(tmp_path / "d")
    (tmp_path / "d" / "services").mkdir()
    child = subprocess.Popen(["sleep", "99"], start_new_session=True)
    known = identify(child.pid)
    assert known is not None
    made = ServiceRecord(
        name="growqr-opencode-u_alice", user_id="u_alice", role="opencode", generation=1,
        spec_sha="", port=1, sandboxed=True, health_path="/", log_from=0, pid=known.pid,
        ticks=known.ticks, boot=boot_id(), started_at=0.0,
    )  # fmt: skip
    made.write(tmp_path / "d")
    yield made
    child.kill()
    child.wait(10)


def test_down_ends_services(tmp_path: Path, record: ServiceRecord) -> None:
    (tmp_path / "d" / "lock").touch()

    assert stop(tmp_path / "d")

    assert not record.running
    assert records(tmp_path / "d") == []
    assert not stop(tmp_path / "d")


def test_up_leaves_them_to_be_adopted(
    tmp_path: Path, record: ServiceRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    planned = plan(load(data=tmp_path / "d", port=ports.free_block().base), NO_KEYS)

    assert planned is not None
    assert record.running
    assert records(tmp_path / "d") == [record]
    os.close(planned.lock)


@pytest.mark.parametrize("change", [{"ticks": 1}, {"boot": "another"}])
def test_somebody_elses_process_is_left_alone(
    tmp_path: Path, record: ServiceRecord, change: dict[str, object]
) -> None:
    replace(record, **change).write(tmp_path / "d")  # type: ignore[arg-type]

    assert not end_all(tmp_path / "d")

    assert record.running
    assert not record_path(tmp_path / "d", record.name).exists()
