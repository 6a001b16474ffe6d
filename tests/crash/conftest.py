"""One instance for the whole matrix. Agents die side by side, everybody else alone."""

from __future__ import annotations

import os
import secrets
import statistics
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import in_schema
from tests.crash.matrix import Case
from tests.crash.scene import Scene
from tests.fakes.messages_api import MessagesApi
from tests.instances import Instance

SIDE_BY_SIDE = {"agents": 3, "opencode": 1}
"""How many cases of a lane go at once."""

TOOK = pytest.StashKey[list[tuple[float, str]]]()


class Deaths:
    """Runs the cases that were collected; each test waits for its own."""

    def __init__(self, scene: Scene, chosen: list[tuple[Case, str]]) -> None:
        self._scene = scene
        pools = {lane: ThreadPoolExecutor(number) for lane, number in SIDE_BY_SIDE.items()}
        self._begun: dict[tuple[str, str, str], Future[None]] = {
            (case.statement, when, case.label): pools[case.lane].submit(
                case.act, scene, f"{case.statement}.{when}"
            )
            for case, when in chosen
            if case.lane in pools
        }

    def of(self, case: Case, when: str) -> None:
        """Return when this case has held; raise what it raised."""
        begun = self._begun.get((case.statement, when, case.label))
        if begun is not None:
            begun.result()
        else:
            wait(self._begun.values())  # nobody else dies while agents do
            case.act(self._scene, f"{case.statement}.{when}")


@pytest.fixture(scope="session")
def deaths(request: pytest.FixtureRequest, scene: Scene) -> Deaths:
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    params = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return Deaths(scene, [(p["case"], p["when"]) for p in params if "case" in p and "when" in p])


@contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """Settings for a schema of its own in DATABASE_URL; without that the embedded server."""
    outside = os.environ.get("DATABASE_URL")
    if outside is None:
        yield {}
        return
    schema = f"c_{secrets.token_hex(6)}"
    with psycopg.connect(outside, autocommit=True) as conn:
        conn.execute(f"create schema {schema}".encode())
        yield {"DATABASE_URL": in_schema(outside, schema)}
        conn.execute(f"drop schema {schema} cascade".encode())


def offer_tools(folder: Path) -> str:
    """PYTHONPATH with the counted tools in it, as an installed package would bring them."""
    metadata = folder / "tools_of_tests-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tools-of-tests\nVersion: 1.0\n"
    )
    names = ("idempotent", "reconcilable", "unsafe")
    lines = [f"{name} = tests.crash.effects:{name}" for name in names]
    (metadata / "entry_points.txt").write_text("\n".join(["[growqr.tools]", *lines, ""]))
    found = [str(folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]
    return os.pathsep.join(filter(None, found))


@pytest.fixture(scope="session")
def scene(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    """An instance with failpoints, short leases, and tools of another package."""
    top = tmp_path_factory.mktemp("crash")
    points, sink = top / "points", top / "effects.jsonl"
    points.mkdir()
    env = {name: os.environ[name] for name in ("GROWQR_TOOLS",) if name in os.environ}
    env |= {"PYTHONPATH": offer_tools(top), "CRASH_SINK": str(sink)}
    env |= {"GROWQR_FAILPOINTS": str(points), "GROWQR_LEASE_TTL": "2"}
    env |= {"GROWQR_IDLE_SLEEP": "3", "GROWQR_SUB_AGENT_SLEEP": "3", "GROWQR_API_REPLICAS": "2"}
    with MessagesApi(key="sk-test") as api, own_database() as database:
        env |= {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": api.url}
        running = Instance(top / "data", **env, **database)
        running.up()
        acted = Scene(running, points, sink)
        request.config.stash[TOOK] = acted.took
        yield acted
        running.part()
        running.down()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long it took from an agent's death until its successor had the turn."""
    if took := terminalreporter.config.stash.get(TOOK, None):
        middle, (worst, point) = statistics.median(s for s, _ in took), max(took)
        terminalreporter.write_line(
            f"death of an agent → its successor has the turn: median {middle:.2f} s of "
            f"{len(took)}, worst {worst:.2f} s ({point})"
        )
