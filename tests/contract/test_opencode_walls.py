"""The real OpenCode under our walls: it starts, and what runs inside sees no one's secret."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from growqr.config import Settings, load
from growqr.errors import SandboxRequired
from growqr.instance import folder
from growqr.instance.services import end_all
from growqr.stacks import ProcessRuntime, ServiceSpec, fetch_tools, opencode_spec
from growqr.stacks.probe import basic_auth, free_port
from tests.contract.test_runtime_contract import server

pytestmark = pytest.mark.anyio

CANARY = f"canary-{secrets.token_hex(8)}"

PROBE = r"""
canary=canary-; canary=${canary}CANARY
echo "== caps"; grep -E '^(CapEff|CapPrm|CapBnd|CapInh|CapAmb|NoNewPrivs):' /proc/self/status
echo "== id"; id -u; whoami
echo "== processes"; for p in /proc/[0-9]*; do tr '\0' ' ' < $p/cmdline; echo; done
echo "== leaks"
for p in /proc/[0-9]*; do tr '\0' '\n' < $p/environ; done 2>/dev/null | grep -c "$canary"
for d in / /etc /home /root /run /var /tmp DATA; do
  grep -rlsI --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=dev "$canary" $d
done
echo "== seen"; ls -A DATA DATA/users 2>&1; ls -A /root /home /var /run 2>/dev/null
echo "== writes"
for f in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger \
  /etc/hosts /usr/x /x SKILLS/x; do
  (: >> $f) 2>/dev/null && echo "could write $f"  # opened, never written
done
unshare -U true 2>/dev/null && unshare -Um mount -t tmpfs t /mnt 2>/dev/null && echo "mounted"
echo mine > $HOME/mine && echo mine > ./mine && echo x > /tmp/x && echo "own folders"
echo "== tools"; command -v git rg python3 opencode >/dev/null && echo "all"
"""


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """OpenCode and ripgrep: GROWQR_OPENCODE_BIN or GROWQR_TOOLS, else fetched for this run."""
    asked = load(data=tmp_path_factory.mktemp("fetched"), database_url=None)
    assert fetch_tools(asked) == []
    return {"tools": asked.tools_folder, "opencode_bin": asked.opencode_bin}


@pytest.fixture
def settings(tmp_path: Path, tools: dict[str, Any]) -> Settings:
    """A data folder as an instance has it, with a secret in every place for one."""
    settings = load(data=tmp_path / "data", database_url=None, **tools)
    folder.prepare(settings.data)
    places = [settings.data / name for name in ("secrets.env", "settings.json")]
    for path in (*places, settings.secrets / "ray_token", settings.workspace("u_bob") / "note"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CANARY)
    return settings


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[ProcessRuntime]:
    runtime = ProcessRuntime(settings)
    yield runtime
    await runtime.close()
    end_all(settings.data)


def opencode(settings: Settings, generation: int = 1) -> ServiceSpec:
    return opencode_spec(settings, "u_alice", generation, token="gqm.stack", password="pw")


async def call(address: str | None, method: str, path: str, body: Any = None) -> Any:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        url = f"{address}{path}"
        async with session.request(
            method, url, json=body, headers=basic_auth("opencode", "pw")
        ) as r:
            assert r.status == 200, await r.text()
            return await r.json()


async def inside(address: str | None, settings: Settings, command: str) -> str:
    """What a command prints that OpenCode's own shell tool runs."""
    where = f"?directory={settings.workspace('u_alice')}"
    session = await call(address, "POST", f"/session{where}", {"title": "probe"})
    path = f"/session/{session['id']}/shell{where}"
    await call(address, "POST", path, {"agent": "build", "command": command})
    messages = await call(address, "GET", f"/session/{session['id']}/message{where}&limit=10")
    parts = [part for message in messages for part in message["parts"] if part["type"] == "tool"]
    return str(parts[-1]["state"]["output"])


async def test_opencode_starts_and_sees_nothing_that_is_not_its_own(
    settings: Settings, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "RAY_AUTH_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, CANARY)
    spec = opencode(settings)

    status = await runtime.ensure(spec)

    assert status.state == "ready", status.reason
    health = await call(status.address, "GET", "/global/health")
    assert health["version"].startswith("1.")
    script = PROBE.replace("CANARY", CANARY.removeprefix("canary-"))
    script = script.replace("SKILLS", str(settings.home("u_alice").with_name("skills")))
    probe = settings.workspace("u_alice") / "probe.sh"
    probe.write_text(script.replace("DATA", str(settings.data)))
    text = await inside(status.address, settings, "sh probe.sh")
    part = {name: rest.strip() for name, _, rest in
            (piece.partition("\n") for piece in text.split("== ")[1:])}  # fmt: skip
    caps = [line.split()[1] for line in part["caps"].splitlines()]
    assert caps == ["0" * 16] * 5 + ["1"]
    assert part["id"].split() == ["1000", "growqr"]
    assert "opencode serve" in part["processes"]
    assert "python" not in part["processes"]
    assert part["leaks"] == "0"
    assert "u_bob" not in part["seen"]
    assert {"secrets", "settings.json", "services"}.isdisjoint(part["seen"].split())
    assert part["writes"] == "own folders"
    assert part["tools"] == "all"
    assert (settings.workspace("u_alice") / "mine").read_text() == "mine\n"


def command_lines() -> bytes:
    """What everybody on this machine can read of every process."""
    found = b""
    for entry in Path("/proc").iterdir():
        try:
            found += (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
    return found


async def test_no_secret_is_in_a_command_line_or_a_readable_file(
    settings: Settings, runtime: ProcessRuntime
) -> None:
    secret = f"s3cret-{secrets.token_hex(8)}"
    spec = server(None, settings)
    spec = replace(spec, env=spec.env | {"X": secret})
    assert (await runtime.ensure(spec)).state == "ready"

    lines = await asyncio.to_thread(command_lines)
    assert secret.encode() not in lines
    record = settings.data / "services" / f"{spec.name}.json"
    assert secret not in record.read_text()
    assert record.stat().st_mode & 0o077 == 0
    assert secret not in repr(spec)
    assert "s3cret" not in repr(spec)


async def test_a_service_outlives_whoever_started_it(settings: Settings) -> None:
    spec = server(None, settings)
    code = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "sys.path.insert(0, os.getcwd())\n"
        "from growqr.config import load; from growqr.stacks import ProcessRuntime\n"
        "from tests.contract.test_runtime_contract import server\n"
        f"settings = load(data=Path({str(settings.data)!r}), database_url=None)\n"
        "status = asyncio.run(ProcessRuntime(settings).ensure(server(None, settings)))\n"
        "print(status.pid, status.state, flush=True)\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    starter = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], cwd=root, capture_output=True,
        text=True, timeout=60,
        start_new_session=True, check=False,
    )  # fmt: skip
    assert starter.returncode == -9, starter.stderr
    pid, state = starter.stdout.split()

    runtime = ProcessRuntime(settings)
    status = await runtime.status(spec.name)
    assert (state, status.state, status.pid) == ("ready", "ready", int(pid))
    assert end_all(settings.data)
    assert not end_all(settings.data)
    assert (await runtime.status(spec.name)).state == "absent"


async def test_a_port_that_somebody_took_is_replaced(
    settings: Settings, runtime: ProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ports, real = [taken], free_port
        chosen = "growqr.stacks.process.free_port"
        monkeypatch.setattr(chosen, lambda: ports.pop() if ports else real())

        status = await runtime.ensure(server(None, settings))

    assert status.state == "ready"
    assert status.address != f"http://127.0.0.1:{taken}"


async def test_without_walls_a_second_user_is_refused_unless_allowed(settings: Settings) -> None:
    bare = ProcessRuntime(settings, why_no_walls=lambda: "bubblewrap is not installed")
    try:
        assert (await bare.ensure(server(None, settings))).state == "ready"

        bob = server(None, settings, user="u_bob")
        with pytest.raises(SandboxRequired, match="bubblewrap is not installed") as refused:
            await bare.ensure(bob)
        assert refused.value.code == "sandbox_required"
        assert not bob.home.exists()
        assert (await bare.ensure(server(None, settings))).state == "ready"

        trusted = settings.model_copy(update={"allow_unsandboxed": True})
        open_one = ProcessRuntime(trusted, why_no_walls=lambda: "bubblewrap is not installed")
        assert (await open_one.ensure(bob)).state == "ready"
        await open_one.close()
    finally:
        await bare.close()
        end_all(settings.data)


def test_the_configuration_names_no_provider_but_ours(settings: Settings) -> None:
    spec = opencode(settings, generation=7)
    config = json.loads(spec.env["OPENCODE_CONFIG_CONTENT"])

    assert list(config["provider"]) == config["enabled_providers"] == ["growqr"]
    options = config["provider"]["growqr"]["options"]
    assert options["baseURL"] == f"{settings.gateway_url}/openai/v1"
    assert options["apiKey"] == "gqm.stack"
    assert config["mcp"]["growqr"]["headers"] == {"Authorization": "Bearer gqm.stack"}
    assert config["permission"]["external_directory"] == "deny"
    assert opencode(settings, generation=7).sha == spec.sha
    assert opencode(settings, generation=8).sha != spec.sha
