"""An embedded Postgres for the tests of a run, by the product's own supervisor of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from growqr.instance import Postgres, ports
from growqr.instance.binaries import find
from growqr.instance.processes import wait_until


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """URL of a server on `folder`, ended with the block."""
    password = folder / "password"
    password.write_text(secrets.token_hex(16))
    password.chmod(0o600)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    port = ports.free_block()["postgres"]
    server = Postgres(folder / "pg", port, find(), password, folder / "pg.log", environment)
    server.init()
    server.start()
    try:
        assert wait_until(lambda: server.ready, 60), server.tail()
        yield f"postgresql://growqr:{password.read_text()}@127.0.0.1:{port}/growqr"
    finally:
        server.stop()
