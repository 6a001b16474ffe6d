"""One Ray head under our supervision: `ray start --head --block` in a session of its own.

All that Ray starts stays in that session, so ending the instance is ending that session, by pid;
`ray stop` would end every Ray on the machine. There is no GCS store: a start is a rebuild.
"""

from __future__ import annotations

import http.client
import resource
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from growqr.errors import InstanceError
from growqr.instance import haproxy
from growqr.instance.child import spawn, tail
from growqr.instance.ports import Ports
from growqr.instance.processes import Process, end, identify, in_session

OBJECT_STORE = 128 * 1024 * 1024
MAX_CONNECTIONS = 20000
GRACE = 2.0

PRELOADED = (
    "ray._common.pydantic_compat",
    "ray._private.arrow_serialization",
    "starlette.datastructures",
    "growqr.actors.preload",
)
"""Ray imports the first three in an actor's first call. The last stands above this room."""


@dataclass
class RayHead:
    """The head node of one instance; `folder` is 0700 and ours alone. `host`: of the ingress."""

    folder: Path
    ports: Ports
    cpus: int
    log: Path
    env: Mapping[str, str]
    host: str = "127.0.0.1"
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _leader: Process | None = field(default=None, init=False)

    def start(self) -> None:
        """Start a head with an empty memory; leftovers of the former one must be gone."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        shutil.rmtree(self._ingress, ignore_errors=True)
        haproxy.install(self._ingress, self.host)
        self._child = spawn(self._argv(), env=self.env, log=self.log, death=signal.SIGTERM)
        self._leader = identify(self._child.pid)

    @property
    def session(self) -> Process | None:
        """Leader of the session that holds all of Ray, alive or not."""
        return self._leader

    @property
    def exited(self) -> bool:
        """Whether the head was started and has ended, which it does when a part of it dies."""
        return self._child is not None and self._child.poll() is not None

    @property
    def address_file(self) -> Path:
        """Where the head writes host:port of its GCS once it has started."""
        return self._temporary / "ray_current_cluster"

    @property
    def healthy(self) -> bool:
        """Whether the head answers and has told its address."""
        url = f"http://127.0.0.1:{self.ports['dashboard']}/api/gcs_healthz"
        return self.address_file.exists() and answers(url)

    @property
    def guarded(self) -> bool:
        """Whether the head refuses those without its token; False while it does not answer.

        Raises InstanceError when it lets them in.
        """
        status = asked(self.ports["dashboard"], "/api/version", timeout=2.0)
        if status not in (0, 401):
            raise InstanceError(f"Ray does not ask for its token (status {status}); not started")
        return status == 401

    def stop(self) -> None:
        """End the whole session; raises TimeoutError when something survives SIGKILL."""
        if self._leader is None or self._child is None:
            return
        leader = self._leader
        self._child.poll()
        end(lambda: in_session(leader), GRACE)
        self._child.wait(5)
        self._leader = None

    def tail(self) -> str:
        """The end of the head's log."""
        return tail(self.log)

    @property
    def _temporary(self) -> Path:
        return self.folder / "r"  # Ray makes it 0777; the folder around it is 0700

    @property
    def _ingress(self) -> Path:
        return self.folder / "h"

    def _argv(self) -> list[str | Path]:
        ports = self.ports
        options: dict[str, object] = {
            "port": ports["gcs"],
            "node-manager-port": ports["node_manager"],
            "object-manager-port": ports["object_manager"],
            "dashboard-host": "127.0.0.1",
            "dashboard-port": ports["dashboard"],
            "dashboard-agent-listen-port": ports["agent_http"],
            "dashboard-agent-grpc-port": ports["agent_grpc"],
            "runtime-env-agent-port": ports["runtime_env"],
            "metrics-export-port": ports["metrics"],
            "ray-client-server-port": ports["client_server"],
            "min-worker-port": 0,
            "max-worker-port": 0,
            "object-store-memory": OBJECT_STORE,
            "temp-dir": self._temporary,
            "log-style": "record",
            "log-color": "false",
        }
        if self.cpus:
            options["num-cpus"] = self.cpus
        flags = [f"--{name}={value}" for name, value in options.items()]
        ray = Path(sys.executable).with_name("ray")
        return [sys.executable, ray, "start", "--head", "--block", "--disable-usage-stats", *flags]


def environment(ports: Ports, folder: Path, token_file: Path, *, warm: bool) -> dict[str, str]:
    """What Ray and Serve read from the environment of `ray start`, for `child_environment`.

    `warm`: every worker imports what agents need before it is one.
    """
    ingress = folder / "h"
    first_http, last_http = ports.replica_http
    first_grpc, last_grpc = ports.replica_grpc
    values: dict[str, object] = {
        "RAY_worker_niceness": 0,
        "RAY_preload_python_modules": ",".join(PRELOADED if warm else ()),
        # A frozen node is given up after 15 s: no start waits for it any longer. Not sooner, for
        # a head that is declared dead by a starved machine would take everything with it.
        "RAY_health_check_initial_delay_ms": 5000,
        "RAY_health_check_period_ms": 1000,
        "RAY_health_check_timeout_ms": 2000,
        "RAY_health_check_failure_threshold": 5,
        "RAY_USAGE_STATS_ENABLED": 0,
        "RAY_SERVE_ENABLE_HA_PROXY": 1,
        # HAProxy passes on what a client says of its own address, and replicas would believe it.
        "FORWARDED_ALLOW_IPS": "",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": 1,
        "RAY_SERVE_HAPROXY_NBTHREAD": 1,
        "RAY_SERVE_HAPROXY_MAXCONN": _connections(),
        "RAY_SERVE_HAPROXY_BINARY_PATH": ingress / "haproxy",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": ingress / "haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": ingress / "admin",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": ingress / "metrics",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": ingress,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": ingress / "state",
        "RAY_SERVE_HAPROXY_STATS_PORT": ports["haproxy_stats"],
        "RAY_SERVE_HAPROXY_METRICS_PORT": ports["haproxy_metrics"],
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": ports["fallback_http"],
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": ports["fallback_grpc"],
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": first_http,
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": last_http,
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": first_grpc,
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": last_grpc,
        "AUTOSCALER_METRIC_PORT": ports["autoscaler_metrics"],
        "DASHBOARD_METRIC_PORT": ports["dashboard_metrics"],
    }
    return joining(token_file) | {name: str(value) for name, value in values.items()}


def joining(token_file: Path) -> dict[str, str]:
    """What every process that connects to Ray has to be told, for nothing of it is a default."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file),
        # Ray of one machine: whatever it starts listens on loopback alone, and is found there.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def _connections() -> int:
    """Connections the ingress may hold; it ends at once when it cannot have 2.5 files for each."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    room = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else int((hard - 200) / 2.5)
    return max(100, min(MAX_CONNECTIONS, room))


def asked(port: int, path: str, token: str | None = None, timeout: float = 5.0) -> int:
    """Status of a GET of this port on loopback, with a bearer token if given; 0: no answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET of this loopback address is answered with 200."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(url, timeout=timeout) as response:
            return bool(response.status == 200)
    except (OSError, ValueError):
        return False
