"""What containers and Gitea need, looked at for `growqr doctor`: quickly, and nothing is raised.

Blocks for at most PATIENCE seconds, whatever hangs.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from growqr.config import Settings
from growqr.errors import GrowqrError
from growqr.instance import Check, instance_id
from growqr.stacks.docker import firewall
from growqr.stacks.docker.images import OWN
from growqr.stacks.docker.networks import PREFIX_LENGTH
from growqr.stacks.docker.profile import INSTANCE

PATIENCE: Final = 3.0
LOW_DISK: Final = 10 << 30
"""Bytes below which images and users' folders soon have no room."""

_FIX = "start it, or look into its log"

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
Look = Callable[[Settings], Iterator[Check]]


def examine(settings: Settings) -> list[Check]:
    """Checks of what the settings ask for; none where services are processes without a Gitea."""
    looks: list[tuple[str, Look]] = []
    if settings.runtime == "docker":
        looks += [("broker", _broker)] if settings.broker else [("engine", _engine)]
        if settings.broker is None:
            looks.append(("firewall", _firewall))
    if settings.gitea == "shared":
        looks.append(("gitea", _gitea))
    begun = [_Quick(name, look, settings) for name, look in looks]
    end = time.monotonic() + PATIENCE
    return [check for one in begun for check in one.until(end)]


class _Quick:
    """One look in a thread of its own, which nobody waits for once its time is over."""

    def __init__(self, name: str, look: Look, settings: Settings) -> None:
        self._name, self._look, self._settings = name, look, settings
        self._found: list[Check] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def until(self, end: float) -> list[Check]:
        """What it has found by then, on the monotonic clock."""
        self._thread.join(max(0.0, end - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            found.append(Check(self._name, False, f"no answer within {PATIENCE:g} s", _FIX))
        return found

    def _run(self) -> None:
        try:
            for check in self._look(self._settings):
                self._found.append(check)
        except GrowqrError as error:
            reason, _, fix = error.message.partition(";")
            self._fail(reason[:200], fix.strip() or _FIX)
        except Exception as error:  # noqa: BLE001  a doctor that falls ill helps nobody
            self._fail(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")

    def _fail(self, reason: str, fix: str = _FIX) -> None:
        self._found.append(Check(self._name, False, reason, fix))


def _engine(settings: Settings) -> Iterator[Check]:
    from growqr.stacks.docker.engine import ours

    with ours():
        client = _connect()
        facts, version = client.info(), client.version()["Version"]
        yield Check("engine", True, f"Docker {version}, cgroup v{facts.get('CgroupVersion', '1')}")
        yield _limits(facts)
        containers = client.api.containers(all=True)
        yield _names(settings, containers)
        yield _subnets(settings, client.api.networks())
        if settings.reach == "port":
            yield _ports(settings, containers)
        yield from _images(settings, client)
        yield _disk(settings, str(facts.get("DockerRootDir") or ""))


def _connect() -> Any:
    import docker

    return docker.from_env(version="auto", timeout=PATIENCE)


def _limits(facts: dict[str, Any]) -> Check:
    known = {"memory": "MemoryLimit", "cpus": "CpuCfsQuota", "processes": "PidsLimit"}
    missing = [name for name, field in known.items() if not facts.get(field)]
    if not missing:
        return Check("limits", True, f"{', '.join(known)} of a container are bounded")
    fix = "have the kernel offer these cgroup controllers to the engine"
    return Check("limits", None, f"the engine cannot bound {', '.join(missing)}", fix)


def _names(settings: Settings, containers: list[dict[str, Any]]) -> Check:
    """Whether somebody else has containers under our names."""
    mine = _own_id(settings)
    stems = tuple(f"/{settings.stack_prefix}-{role}-" for role in ("opencode", "gitea"))
    named = [c for c in containers if any(name.startswith(stems) for name in c["Names"])]
    foreign = [c for c in named if (c.get("Labels") or {}).get(INSTANCE) != mine]
    if foreign:
        names = ", ".join(sorted(c["Names"][0].strip("/") for c in foreign)[:3])
        fix = "another GROWQR_STACK_PREFIX, or remove them"
        return Check("names", None, f"{len(foreign)} not of this instance: {names}", fix)
    return Check("names", True, f"{len(named)} containers {settings.stack_prefix}-…, all ours")


def _own_id(settings: Settings) -> str | None:
    try:
        return instance_id(settings.data)
    except OSError:
        return None  # it never ran, so nothing can be its own


def _subnets(settings: Settings, networks: list[dict[str, Any]]) -> Check:
    fix = "set GROWQR_SUBNETS to a larger private network, such as 10.199.0.0/16"
    try:
        whole = ipaddress.IPv4Network(settings.subnets, strict=False)
    except ValueError:
        return Check("subnets", False, f"{settings.subnets!r} is no IPv4 network", fix)
    taken: set[int] = set()
    for told in networks:
        for config in (told.get("IPAM") or {}).get("Config") or []:
            taken |= _blocks(whole, ipaddress.ip_network(config["Subnet"], strict=False))
    count = 1 << max(0, PREFIX_LENGTH - whole.prefixlen)
    free = count - len(taken) if whole.prefixlen <= PREFIX_LENGTH else 0
    found = f"{free} of {count} free in {whole}, one for each user"
    return Check("subnets", free > 0, found, fix)


def _blocks(whole: ipaddress.IPv4Network, other: Any) -> set[int]:
    """Which of the users' networks in `whole` this one takes."""
    if not isinstance(other, ipaddress.IPv4Network) or not whole.overlaps(other):
        return set()
    inner = whole if whole.subnet_of(other) else other
    first, last = int(inner.network_address), int(inner.broadcast_address)
    shift, base = 32 - PREFIX_LENGTH, int(whole.network_address)
    return set(range((first - base) >> shift, ((last - base) >> shift) + 1))


def _ports(settings: Settings, containers: list[dict[str, Any]]) -> Check:
    first, last = settings.user_port_range_start, settings.user_port_range_end
    held = {port.get("PublicPort") for c in containers for port in c.get("Ports") or []}
    free = len(set(range(first, last + 1)) - held)
    fix = "widen USER_PORT_RANGE_START and USER_PORT_RANGE_END"
    return Check("ports", free > 0, f"{free} of {last - first + 1} free from {first} on", fix)


def _images(settings: Settings, client: Any) -> Iterator[Check]:
    from docker import errors

    wanted = [settings.opencode_image]
    if settings.gitea == "per_user":
        wanted.append(settings.gitea_image)
    for image in wanted:
        try:
            client.api.inspect_image(image)
            yield Check("image", True, image)
        except errors.NotFound:
            how = "built here" if image.partition(":")[0] == OWN else "pulled"
            fix = "growqr up brings it, and so does the first use"
            yield Check("image", None, f"{image} is not here; it will be {how}", fix)


def _disk(settings: Settings, engine: str) -> Check:
    """Room where users' folders lie, and where the engine keeps its images."""
    free: dict[str, int] = {}
    for place in (str(settings.users_folder), engine):
        try:
            free[place] = shutil.disk_usage(_there(place)).free
        except OSError:
            continue  # the engine's may be on another machine, or not ours to see
    told = ", ".join(f"{size >> 30} GB at {place}" for place, size in free.items())
    enough = min(free.values(), default=0) >= LOW_DISK
    return Check("room", True if enough else None, f"free: {told}", "free some space there")


def _there(place: str) -> str:
    """The folder, or the nearest one above it that exists."""
    path = Path(place)
    while not path.exists():
        path = path.parent
    return str(path)


def _firewall(settings: Settings) -> Iterator[Check]:
    reason = firewall.why_not()
    if reason is None:
        yield Check("firewall", True, "containers reach the relay of this machine, and no more")
        return
    fix = "run the Host, or growqr broker, as root with iptables installed"
    strict = settings.profile == "production"
    yield Check("firewall", False if strict else None, f"{reason}: containers reach us", fix)


def _broker(settings: Settings) -> Iterator[Check]:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PATIENCE)
        try:
            probe.connect(str(settings.broker))
        except OSError as error:
            found = f"{settings.broker}: {error.strerror or error}"
            yield Check("broker", False, found, "start `growqr broker`, or unset GROWQR_BROKER")
            return
    yield Check("broker", True, f"answers at {settings.broker}")


def _gitea(settings: Settings) -> Iterator[Check]:
    url = str(settings.gitea_url)
    fix = "set GITEA_URL and GITEA_TOKEN, an administrator's token (scopes: see .env.example)"
    if urlsplit(url).scheme not in ("http", "https"):
        yield Check("gitea", False, f"{url} is no http address", fix)
        return
    token = settings.gitea_token.get_secret_value() if settings.gitea_token else ""
    request = urllib.request.Request(  # noqa: S310  checked above
        f"{url.rstrip('/')}/api/v1/user", headers={"Authorization": f"token {token}"}
    )
    try:
        with _DIRECT.open(request, timeout=PATIENCE):
            yield Check("gitea", True, f"answers at {url}, and knows the token")
    except urllib.error.HTTPError as error:
        yield Check("gitea", False, f"{url} answered {error.code} to the token", fix)
    except OSError as error:
        yield Check("gitea", False, f"{url} does not answer: {error}", f"start it, or {fix}")
