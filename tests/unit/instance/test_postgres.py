"""The embedded server, a real one: made, started, killed, restarted, stopped, orphaned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from growqr.errors import InstanceError
from growqr.instance import Postgres, ports
from growqr.instance.binaries import find
from growqr.instance.processes import identify, is_alive, wait_until

DEADLINE = 20.0


def server(folder: Path) -> Postgres:
    """A server on a folder of this test, not yet made."""
    password = folder / "password"
    password.write_text("correct horse")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    port = ports.free_block()["postgres"]
    return Postgres(folder / "pg", port, find(), password, folder / "pg.log", environment)


def ask(postgres: Postgres, statement: str, password: str = "correct horse") -> object:
    url = f"postgresql://growqr@127.0.0.1:{postgres.port}/growqr"
    with psycopg.connect(url, password=password, connect_timeout=5, autocommit=True) as conn:
        found = conn.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return row[0] if row else None


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    made = server(tmp_path)
    made.init()
    made.start()
    assert wait_until(lambda: made.ready, DEADLINE), made.tail()
    yield made
    made.stop()


def test_it_answers_its_password_alone_and_keeps_what_is_committed(postgres: Postgres) -> None:
    assert ask(postgres, "select current_database()") == "growqr"
    with pytest.raises(psycopg.OperationalError):
        ask(postgres, "select 1", password="wrong")

    ask(postgres, "create table kept (x int)")
    postgres.stop()
    assert "database system is shut down" in postgres.tail()
    postgres.init()  # a second start finds everything made
    postgres.start()
    assert wait_until(lambda: postgres.ready, DEADLINE), postgres.tail()
    assert ask(postgres, "select count(*) from kept") == 0


def test_killed_it_is_started_again_with_everything_committed(postgres: Postgres) -> None:
    ask(postgres, "create table kept as select 7 as x")
    first = postgres.started
    assert first is not None
    assert not postgres.keep()

    os.kill(first.pid, signal.SIGKILL)

    assert wait_until(lambda: postgres.exited, DEADLINE)
    assert not postgres.ready
    assert wait_until(lambda: postgres.keep() or postgres.ready, DEADLINE)
    assert wait_until(lambda: not postgres.keep() and postgres.ready, DEADLINE), postgres.tail()
    assert postgres.started != first
    assert ask(postgres, "select x from kept") == 7


def test_another_major_versions_folder_is_refused_untouched(tmp_path: Path) -> None:
    postgres = server(tmp_path)
    postgres.folder.mkdir()
    (postgres.folder / "PG_VERSION").write_text("9\n")

    with pytest.raises(InstanceError, match=r"made by PostgreSQL 9.*GROWQR_PG_BIN"):
        postgres.init()


def test_an_init_that_fails_says_why_and_leaves_no_half_made_folder(tmp_path: Path) -> None:
    postgres = server(tmp_path)
    postgres.password_file.unlink()

    with pytest.raises(InstanceError, match="initdb failed: "):
        postgres.init()
    assert not postgres.folder.exists()


OWNER = """
import sys, time
from pathlib import Path
from tests.unit.instance.test_postgres import server, wait_until
postgres = server(Path(sys.argv[1]))
postgres.init()
postgres.start()
assert wait_until(lambda: postgres.ready, 20)
print(postgres.started.pid, flush=True)
time.sleep(99)
"""


def test_the_server_goes_in_order_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert owner.stdout is not None
    line = owner.stdout.readline()
    running = identify(int(line))
    assert running is not None

    owner.kill()
    owner.communicate(timeout=10)

    assert wait_until(lambda: not is_alive(running), DEADLINE)
    assert "database system is shut down" in (tmp_path / "pg.log").read_text()
