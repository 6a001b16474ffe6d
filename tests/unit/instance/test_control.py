"""What `up` and `down` do around a daemon: refuse before starting, clear up after a killed one."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from growqr.config import Providers, Settings, child_environment, from_snapshot, load
from growqr.errors import InstanceError
from growqr.instance import Record, folder, plan, ports, stop
from growqr.instance.processes import Process, identify, in_session, is_alive

NO_KEYS = Providers.model_construct(anthropic_api_key=None, anthropic_base_url=None)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "t").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    return load(data=tmp_path / "data", port=ports.free_block().base)


@pytest.fixture
def leftover() -> Iterator[Process]:
    """A session as a killed daemon leaves it."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(99)"], start_new_session=True
    )
    known = identify(child.pid)
    assert known is not None
    yield known
    child.kill()
    child.wait(10)


def killed_daemon(data: Path, **children: Process) -> None:
    """The record of a daemon that is no more."""
    Record(
        pid=os.getpid(), ticks=1, started_at=0.0, url="", version="", ports={}, instance_id="",
        children=children,
    ).write(data)  # fmt: skip


@pytest.mark.parametrize(("mode", "refused"), [
    ("disabled", True), ("k8s", True), ("", False), ("token", False), ("TOKEN", False),
])  # fmt: skip
def test_nothing_starts_where_ray_would_ask_for_no_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: str, refused: bool
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    if not refused:
        planned = plan(settings, NO_KEYS)
        assert planned
        os.close(planned.lock)
        return
    with pytest.raises(InstanceError, match="unset RAY_AUTH_MODE, or set it to token"):
        plan(settings, NO_KEYS)
    assert not settings.data.exists()


def test_a_plan_writes_private_files_and_no_secret_into_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    keys = Providers.model_construct(
        anthropic_api_key=SecretStr("sk-'canary'\\"), anthropic_base_url="http://127.0.0.1:1"
    )

    planned = plan(settings, keys)

    assert planned is not None
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(settings.data.stat().st_mode) == 0o700
    snapshot = from_snapshot(settings.data / "settings.json")
    assert snapshot.database_url is not None
    assert "canary" not in "".join(child_environment(planned.settings).values())
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    read = Providers(_env_file=settings.data / "secrets.env")  # type: ignore[call-arg]
    assert read.anthropic_api_key == SecretStr("sk-'canary'\\")
    assert read.anthropic_base_url == "http://127.0.0.1:1"
    os.close(planned.lock)


def test_secrets_are_made_once(settings: Settings) -> None:
    folder.prepare(settings.data)
    first = folder.secret(settings.data, "instance.key")
    folder.prepare(settings.data)

    assert folder.secret(settings.data, "instance.key") == first
    assert len(bytes.fromhex(first)) == 32


def test_a_taken_port_is_refused_and_the_folder_is_free_again(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.port)):
        with pytest.raises(InstanceError, match=f"port {settings.port} "):
            plan(settings, NO_KEYS)

    assert Record.read(settings.data) is None
    planned = plan(settings, NO_KEYS)
    assert planned is not None
    os.close(planned.lock)


def test_one_folder_has_one_instance(settings: Settings) -> None:
    planned = plan(settings, NO_KEYS)
    assert planned is not None

    assert plan(settings, NO_KEYS) is None
    os.close(planned.lock)


def test_a_full_disk_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MIN_FREE", 1 << 60)

    with pytest.raises(InstanceError, match=f"MB free where {settings.data}"):
        plan(settings, NO_KEYS)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InstanceError, match=r"cannot write to the data folder .*--data"):
        folder.prepare(tmp_path / "file" / "data")


def test_down_with_nothing_running_says_so(tmp_path: Path) -> None:
    assert not stop(tmp_path / "never")
    folder.prepare(tmp_path)
    assert not stop(tmp_path)


def test_down_ends_what_a_killed_daemon_left(settings: Settings, leftover: Process) -> None:
    planned = plan(settings, NO_KEYS)
    assert planned is not None
    os.close(planned.lock)
    killed_daemon(settings.data, ray=leftover)

    assert stop(settings.data)
    assert in_session(leftover) == []
    assert Record.read(settings.data) is None


def test_up_ends_what_a_killed_daemon_left_first(settings: Settings, leftover: Process) -> None:
    folder.prepare(settings.data)
    killed_daemon(settings.data, ray=leftover, postgres=leftover)

    planned = plan(settings, NO_KEYS)

    assert planned is not None
    assert not is_alive(leftover)
    os.close(planned.lock)


def test_a_long_data_folder_gets_a_short_one_for_sockets(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 12)
    folder.prepare(data)

    short = folder.ray_folder(data)
    assert len(str(short)) <= folder.SOCKET_ROOM
    assert stat.S_IMODE(short.stat().st_mode) == 0o700
    folder.tidy(data)
    assert not short.exists()
