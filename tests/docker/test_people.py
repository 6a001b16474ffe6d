"""People whose services are containers: whatever befalls the pair, work and memory go on."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from growqr import names
from tests.docker.engine import docker, remove_instance
from tests.instances import Instance, Person, until

pytestmark = pytest.mark.docker

COUNT = "create count.py that writes 1 to {n} to count.txt, one a second, and run it"
CONVERGED = 60.0
"""Seconds until the pair is as it should be, whatever was done to it."""

ENGINE = os.environ.get("GROWQR_TEST_ENGINE_PID")
"""Pid file of an engine that tests may restart; `.ci/run` names the one it has started."""


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"people-{secrets.token_hex(3)}"


@pytest.fixture(scope="module")
def contained(
    prefix: str, opencode_image: str, gitea_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """An instance with a Gitea for every user, and agents that fall asleep soon."""
    instance = Instance(
        tmp_path_factory.mktemp("c") / "data", GROWQR_RUNTIME="docker", GROWQR_GITEA="per_user",
        GROWQR_STACK_PREFIX=prefix, OPENCODE_IMAGE=opencode_image, GITEA_IMAGE=gitea_image,
    )  # fmt: skip
    instance.up()
    yield instance
    instance.part()
    instance.down()
    remove_instance(prefix)


def container(prefix: str, person: Person, role: str) -> str:
    return f"{prefix}-{role}-{names.local_user_id(person.name)}"


def stack(person: Person) -> dict[str, Any]:
    return dict(person.get("/actors/me")["stack"])


def well(prefix: str, person: Person) -> bool:
    """Both are ready in the api, and running, unpaused and connected on the engine."""
    if {role["state"] for role in stack(person).values()} != {"ready"}:
        return False
    wanted = "{{.State.Status}} {{.State.Paused}} {{len .NetworkSettings.Networks}}"
    found = [container(prefix, person, role) for role in ("opencode", "gitea")]
    done = subprocess.run(
        ["docker", "inspect", "--format", wanted, *found],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.stdout.split("\n")[:2] == ["running false 1"] * 2


@pytest.fixture(scope="module")
def ready(contained: Instance, prefix: str) -> Person:
    """Somebody whose pair is up."""
    person = contained.person()
    assert person.http.post("/actors/provision").status_code == 202
    until(lambda: well(prefix, person), 120, lambda: f"the pair is not ready: {stack(person)}")
    return person


def folder_of(person: Person, name: str) -> Path:
    settings = person.instance.settings
    return settings.users_folder / names.local_user_id(person.name) / name


def lose(folder: Path) -> None:
    """It is gone at once; whatever still writes there writes into what nobody can find."""
    gone = folder.rename(folder.with_name(f"gone-{secrets.token_hex(3)}"))
    shutil.rmtree(gone, ignore_errors=True)


def swap(prefix: str, person: Person) -> None:
    """Somebody else's container takes the name."""
    name = container(prefix, person, "opencode")
    stranger = docker("create", "debian:bookworm-slim", "sleep", "600")
    docker("start", stranger)

    def taken() -> bool:
        """The Host is quick to make its own again."""
        for words in (["rm", "--force", name], ["rename", stranger, name]):
            subprocess.run(["docker", *words], capture_output=True, timeout=30, check=False)
        return docker("ps", "--quiet", "--no-trunc", "--filter", f"name=^{name}$") == stranger

    until(taken, 30, "the name could not be had")


def image_gone(prefix: str, person: Person) -> None:
    name = container(prefix, person, "opencode")
    image = docker("inspect", "--format", "{{.Config.Image}}", name)
    docker("rmi", "--force", image)
    docker("rm", "--force", name)


Fault = Callable[[str, Person], object]
FAULTS: dict[str, Fault] = {
    "kill opencode": lambda p, a: docker("kill", container(p, a, "opencode")),
    "kill gitea": lambda p, a: docker("kill", container(p, a, "gitea")),
    "rm both": lambda p, a: docker(
        "rm", "--force", container(p, a, "opencode"), container(p, a, "gitea")
    ),
    "pause": lambda p, a: docker("pause", container(p, a, "opencode")),
    "disconnect": lambda p, a: docker(
        "network", "disconnect", "--force", f"{p}-{names.local_user_id(a.name)}",
        container(p, a, "gitea"),
    ),
    "home removed": lambda p, a: lose(folder_of(a, "home")),
    "gitea's folder removed": lambda p, a: lose(folder_of(a, "gitea")),
    "wrong container": swap,
    "image gone": image_gone,
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_pair_converges(prefix: str, ready: Person, fault: str) -> None:
    person = ready.instance.person(ready.name)
    until(lambda: well(prefix, person), CONVERGED, "not well to begin with")
    before = person.get("/actors/me")["seq"]
    # Work keeps it wanted: what nobody needs is left until its next use.
    person.http.post("/actors/provision")
    began = time.monotonic()

    FAULTS[fault](prefix, person)

    time.sleep(1.0)  # until it can be seen
    person.http.post("/actors/provision")
    until(lambda: well(prefix, person), CONVERGED, lambda: f"after {fault}: {stack(person)}")
    took = time.monotonic() - began
    told = [e["type"] for e in person.journal() if e["seq"] > before]
    print(f"{fault}: well again after {took:.1f} s: {told}")
    strangers = docker("ps", "--format", "{{.Names}}", "--filter", f"name={prefix}.*former")
    if fault == "wrong container":
        assert strangers, "what was not ours must be left running"
        docker("rm", "--force", *strangers.split())


def test_the_grow_agent_decides_and_tells(contained: Instance, prefix: str) -> None:
    anna = contained.person()
    turn = anna.say(COUNT.format(n=8))
    started(anna, "bash")
    before = anna.get("/actors/me")["seq"]

    docker("kill", container(prefix, anna, "opencode"))
    killed = time.time()

    decided: list[dict[str, Any]] = []

    def told() -> bool:
        decided.extend(e for e in anna.journal()[before:] if e["type"] == "service.decided")
        return bool(decided)

    until(told, 6, "nobody decided")
    event = decided[0]
    assert event["actor"] == f"grow-agent:{names.local_user_id(anna.name)}"
    assert (event["data"]["role"], event["data"]["decision"]) == ("opencode", "restart")
    after = datetime.fromisoformat(event["time"]).timestamp() - killed
    print(f"from docker kill to the decision: {after:.2f} s, by {event['data']['by']}")
    assert after < 2
    ended = anna.ended(turn, 120)
    assert ended["state"] == "completed", ended
    texts = str(anna.journal())
    assert "interrupted" in texts, "the tool that was cut off is told as what it is"


def test_acknowledged_memory_is_in_gitea_though_its_folder_goes(
    contained: Instance, prefix: str
) -> None:
    anna = contained.person()
    anna.http.post("/actors/provision")
    until(lambda: well(prefix, anna), 120, lambda: f"the pair is not ready: {stack(anna)}")
    user = names.local_user_id(anna.name)

    def put(number: int) -> None:
        body = {"content": f"note {number}"}
        assert anna.http.put(f"/memory/notes/{number}.md", json=body).status_code == 200

    with ThreadPoolExecutor(4) as writers:
        writing = [writers.submit(put, number) for number in range(60)]
        while sum(one.done() for one in writing) < 20:
            time.sleep(0.01)
        lose(contained.settings.gitea_folder(user))
        for one in writing:
            one.result()
    ours = subprocess.run(
        ["git", "-C", str(contained.settings.repositories / f"{user}.git"), "rev-parse", "main"],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout.strip()  # fmt: skip
    name = container(prefix, anna, "gitea")

    def theirs() -> str:
        found = f"find {contained.settings.gitea_folder(user)} -name growqr-memory.git"
        return subprocess.run(
            ["docker", "exec", name, "sh", "-c", f"git --git-dir=$({found}) rev-parse main"],
            capture_output=True, text=True, timeout=30, check=False,
        ).stdout.strip()  # fmt: skip

    began = time.monotonic()
    until(lambda: theirs() == ours, 90, "Gitea does not hold what was acknowledged")
    print(f"Gitea's folder removed under load: all there after {time.monotonic() - began:.1f} s")
    assert len(anna.get("/memory", limit=100)["data"]) == 60


def test_what_was_said_before_outlives_container_and_home(contained: Instance, prefix: str) -> None:
    anna = contained.person()
    made = anna.http.post("/actors/me/sub-agents", json={"type": "general"}).json()

    def task(prompt: str) -> dict[str, Any]:
        run = anna.http.post(f"/actors/me/sub-agents/{made['id']}/run", json={"prompt": prompt})
        return anna.ended(run.json()["turn_id"], 120)

    assert task("create one.py that writes 1 to 2 to one.txt and run it")["state"] == "completed"
    docker("rm", "--force", container(prefix, anna, "opencode"))
    lose(folder_of(anna, "home"))

    assert task("create two.py that writes 1 to 2 to two.txt and run it")["state"] == "completed"

    told = [e["data"] for e in anna.journal() if e["type"] == "sub_agent.progress"]
    assert any("restored" in str(data) for data in told), told


def test_stopped_it_leaves_nothing_and_five_cycles_keep_every_byte(
    contained: Instance, prefix: str
) -> None:
    anna = contained.person()
    name = container(prefix, anna, "opencode")
    listed = ["ps", "--all", "--format", "{{.Names}}", "--filter", f"name={name}"]
    written = b""
    for number in range(5):
        anna.http.post("/opencode/provision")
        until(lambda: stack(anna)["opencode"]["state"] == "ready", 120, lambda: f"{stack(anna)}")
        docker("exec", name, "sh", "-c", f"echo line {number} >> kept.txt")
        written += f"line {number}\n".encode()
        if number % 2:
            docker("kill", name)  # an unclean end
        anna.http.post("/opencode/workspaces/me/stop")
        until(lambda: stack(anna)["opencode"]["state"] == "stopped", 60, lambda: f"{stack(anna)}")
        assert not docker(*listed)
    assert anna.http.get("/files/kept.txt").content == written


def restart_engine(pid_file: Path) -> None:
    """End the engine as an update would, and start it again."""
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists(), 60, "the engine does not end")
    again = f"nohup dockerd --pidfile {pid_file} >/dev/null 2>&1 &"
    subprocess.run(["sh", "-c", again], timeout=10, check=True, start_new_session=True)

    def answers() -> bool:
        done = subprocess.run(["docker", "info"], capture_output=True, timeout=30, check=False)
        return done.returncode == 0

    until(answers, 60, "the engine does not come back")


if ENGINE:

    def test_the_engine_is_restarted(prefix: str, ready: Person) -> None:
        person = ready.instance.person(ready.name)
        turn = person.say(COUNT.format(n=12))
        started(person, "bash")

        restart_engine(Path(ENGINE))

        began = time.monotonic()
        person.http.post("/actors/provision")
        until(lambda: well(prefix, person), CONVERGED, lambda: f"engine restarted: {stack(person)}")
        print(f"engine restarted: well again after {time.monotonic() - began:.1f} s")
        assert person.ended(turn, 180)["state"] == "completed"


def started(person: Person, name: str, seconds: float = 120) -> None:
    """Wait until a tool of that name runs."""
    for event in person.events(seconds=seconds):
        if event["type"] == "tool.started" and event["data"].get("name") == name:
            return
    raise AssertionError(f"{name} did not begin")
