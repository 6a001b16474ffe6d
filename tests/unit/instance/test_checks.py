"""What `growqr doctor` finds out, on machines with one thing wrong each."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from growqr.config import Providers, Settings, load
from growqr.instance import Check, check_machine, folder, ports

NO_KEYS = Providers.model_construct(anthropic_api_key=None, anthropic_base_url=None)
A_KEY = Providers.model_construct(anthropic_api_key=SecretStr("sk"), anthropic_base_url=None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(data=tmp_path / "data", port=ports.free_block().base, database_url=None)


def found(settings: Settings, providers: Providers = NO_KEYS) -> dict[str, Check]:
    return {check.name: check for check in check_machine(settings, providers)}


def test_asking_makes_nothing(settings: Settings) -> None:
    assert found(settings)["disk"].ok
    assert not settings.data.exists()


def test_every_fault_names_its_fix(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROWQR_PG_BIN", "/nowhere")
    monkeypatch.setattr(folder, "MIN_FREE", 1 << 60)
    monkeypatch.setenv("PATH", "/nowhere")

    checks = found(settings)

    assert not any(checks[name].ok for name in ("postgres", "disk", "bubblewrap", "git"))
    assert all(checks[name].fix for name in ("postgres", "disk", "bubblewrap", "git"))


def test_a_taken_port_is_a_fault(settings: Settings) -> None:
    assert found(settings)["port"].ok
    with socket.create_server(("127.0.0.1", settings.port + 1)):
        assert found(settings)["port"].ok is False


def test_a_secret_that_others_can_read_is_a_fault(settings: Settings) -> None:
    folder.prepare(settings.data)
    assert found(settings)["secrets"].ok

    (settings.data / "secrets" / "ray_token").chmod(0o644)

    assert found(settings)["secrets"].ok is False


@pytest.mark.parametrize("name", ["", "secrets", "logs"])
def test_a_folder_that_others_can_enter_is_a_fault(settings: Settings, name: str) -> None:
    folder.prepare(settings.data)
    (settings.data / name).chmod(0o755)

    check = found(settings)["secrets"]

    assert check.ok is False
    assert check.fix == f"chmod 700 {settings.data / name}"


def test_offline_is_worth_knowing_and_anthropic_without_a_key_is_a_fault(
    settings: Settings,
) -> None:
    asked_for = settings.model_copy(update={"llm_provider": "anthropic"})

    assert found(settings)["model"].ok is None
    assert found(settings, A_KEY)["model"].ok
    assert found(asked_for)["model"].ok is False
