"""What a running instance shows to others: its ports, and who is let in. Nothing is raised."""

from __future__ import annotations

from collections.abc import Iterator

from growqr.config import Settings
from growqr.instance import folder, services
from growqr.instance.checks import Check
from growqr.instance.listeners import Listener, family, held_by, listeners
from growqr.instance.ports import BLOCK
from growqr.instance.ray_head import asked
from growqr.instance.record import Record

_AGAIN = "growqr down; growqr up"
_GUARDED = {
    "dashboard": "/api/version",
    "agent_http": "/api/job_agent/jobs/x",
    "runtime_env": "/get_or_create_runtime_env",
}
"""Ports of Ray that speak HTTP, and something there that only those with the token may ask."""

_ANYBODY = ("metrics", "dashboard_metrics", "autoscaler_metrics", "haproxy_stats",
            "haproxy_metrics")  # fmt: skip


def exposure(settings: Settings, record: Record) -> Iterator[Check]:
    """Checks of the instance that runs with these settings, ports first."""
    roots = {record.pid} | {process.pid for process in record.children.values()}
    roots |= {service.pid for service in services.records(settings.data) if service.running}
    ours = held_by(family(roots))
    yield _dashboard(ours, record.ports["dashboard"])
    yield from _ports(settings, record, ours)
    yield _metrics(record, ours)
    yield _taken(settings, record, ours)
    yield _asks_for_token(settings, record)


def _dashboard(ours: list[Listener], port: int) -> Check:
    there = [listener for listener in ours if listener.port == port]
    if there and all(listener.local for listener in there):
        return Check("dashboard", True, f"on loopback alone, port {port}")
    found = ", ".join(map(str, there)) or f"nobody listens on port {port}"
    return Check("dashboard", False, found, _AGAIN)


def _ports(settings: Settings, record: Record, ours: list[Listener]) -> Iterator[Check]:
    """Of all that listens only the ingress may be open, and the relay on bridges of containers."""
    ingress, relay = record.ports["http"], record.ports["relay"]
    seen = [listener for listener in ours if not listener.local]
    chosen = [one for one in seen if one.port == ingress and not _is_local(settings.host)]
    bridged = [one for one in seen if one.port == relay and one.address not in ("0.0.0.0", "::")]  # noqa: S104
    wrong = [one for one in seen if one not in chosen and one not in bridged]
    closed = len(ours) - len(seen)
    if wrong:
        names = ", ".join(map(str, wrong))
        fix = f"{_AGAIN}; if it stays, close them by a firewall"
        if settings.runtime == "docker":
            fix += ", towards the bridges of containers too"
        yield Check("open ports", False, f"others can connect to {names}", fix)
    else:
        yield Check("open ports", True, f"{closed} on loopback" + _and(bridged, "for containers"))
    if chosen:
        names = ", ".join(map(str, chosen))
        fix = "put TLS and a firewall before it, or unset GROWQR_HOST"
        yield Check("http", None, f"others can connect to {names}, as GROWQR_HOST says", fix)


def _metrics(record: Record, ours: list[Listener]) -> Check:
    """They ask for no token, so they must not be in anybody's reach."""
    ports = {record.ports[name]: name for name in _ANYBODY}
    seen = [one for one in ours if one.port in ports and not one.local]
    if seen:
        named = ", ".join(f"{one.address}:{one.port} ({ports[one.port]})" for one in seen)
        fix = "close these ports by a firewall: they ask for no token"
        return Check("metrics", None, f"anybody in reach can read {named}", fix)
    return Check("metrics", True, "readable on this machine alone")


def _taken(settings: Settings, record: Record, ours: list[Listener]) -> Check:
    """Somebody else on a port of our block would be taken for a part of the instance."""
    first = record.ports["http"]
    block = set(range(first, first + BLOCK))
    if settings.broker is not None:
        block.discard(record.ports["relay"])  # the broker's, a process of its own
    mine = {(one.address, one.port) for one in ours}
    foreign = [one for one in listeners().values() if one.port in block
               and (one.address, one.port) not in mine]  # fmt: skip
    if foreign:
        names = ", ".join(sorted(map(str, foreign)))
        return Check("block", False, f"not of this instance: {names}", "end it, or another --port")
    return Check("block", True, f"{first} to {first + BLOCK - 1} are ours alone")


def _asks_for_token(settings: Settings, record: Record) -> Check:
    """401 without the token, 403 with another one, on each port of Ray that speaks HTTP."""
    wrong, good = "0" * 64, folder.secret(settings.data, "ray_token")
    for name, path in _GUARDED.items():
        port = record.ports[name]
        told = asked(port, path), asked(port, path, wrong)
        if told != (401, 403):
            found = f"port {port} ({name}) answered {told[0]} without a token, {told[1]} to a wrong"
            return Check("ray token", False, found, f"growqr logs ray; {_AGAIN}")
    if (status := asked(record.ports["dashboard"], "/api/version", good)) != 200:
        found = f"the dashboard answered {status} to the instance's own token"
        return Check("ray token", False, found, _AGAIN)
    return Check("ray token", True, f"asked for on {', '.join(_GUARDED)}")


def _and(some: list[Listener], why: str) -> str:
    return f"; {', '.join(map(str, some))} {why}" if some else ""


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or Listener(host, 0).local
    except ValueError:
        return False  # a name, or every address: whatever it means, it was chosen
