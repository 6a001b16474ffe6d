"""Boot: `growqr up` on a data folder that has been up before, beside bare Ray with one Serve app.

`python -m benchmarks.boot` is that reference: it prints the seconds to its first answer.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.instance import Instance
from growqr.instance.ray_head import joining
from growqr.instance.record import write_private

ROUNDS = 3


def run(instance: Instance) -> list[Figure]:
    """Starts of both in turn; leaves the instance up."""
    first = instance.up()
    ours, floor = [], []
    for _ in range(ROUNDS):
        instance.down()
        floor.append(_bare())
        ours.append(instance.up())
    return [
        Figure("boot, empty data folder", "s", [first]),
        Figure("boot", "s", ours, "bare Ray + one Serve app", floor),
    ]


def _bare() -> float:
    argv = [sys.executable, "-m", "benchmarks.boot"]
    root = Path(__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        write_private(token, secrets.token_hex(32))
        environment = os.environ | joining(token)
        told = subprocess.run(
            argv, cwd=root, env=environment, capture_output=True, text=True, timeout=180, check=True
        )
    return float(told.stdout.split()[-1])


def main() -> None:
    """A Ray of its own with one app; ends with this process."""
    began = time.perf_counter()
    import urllib.request

    import ray
    from ray import serve

    class App:
        def __call__(self) -> str:
            return "ok"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ray.init(namespace="bare", log_to_driver=False, object_store_memory=128 * 2**20)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    app = serve.deployment(ray_actor_options={"num_cpus": 0})(App)
    serve.run(app.bind(), name="bare", route_prefix="/")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        assert answer.status == 200
    print(time.perf_counter() - began)
    ray.shutdown()


if __name__ == "__main__":
    main()
