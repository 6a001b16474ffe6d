"""What containers reach of this machine and beyond it: the relay, and what egress allows.

One static set of rules per instance, for all bridges whose names begin as its own do. Checked
again each round, because whoever reloads a firewall throws them away.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from pathlib import Path

from growqr.config import Settings
from growqr.errors import SandboxRequired
from growqr.instance.ports import Ports
from growqr.logs import log
from growqr.stacks.docker.networks import interfaces

TIMEOUT = 10.0
PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
"""Nobody's public address: own and private networks, metadata services, multicast."""

_DOCKER = "DOCKER-USER"
_WAIT = ("-w", "5")  # others hold the lock of the tables for a moment
_RESOLVERS = Path("/etc/resolv.conf")
_log = log("stacks")


class Firewall:
    """The rules of one instance. Everything here blocks."""

    def __init__(self, settings: Settings, instance: str) -> None:
        self._settings, self._relay = settings, Ports(settings.port)["relay"]
        self._bridges = f"{interfaces(instance)}+"
        stem = interfaces(instance).upper().removesuffix("-")
        self._to_us, self._through = f"{stem}-IN", f"{stem}-FWD"
        self._said = False

    def ensure(self) -> None:
        """Have the rules in force. Where that cannot be, production refuses (SandboxRequired)."""
        reason = why_not() or self._apply()
        if reason is None:
            self._said = False
            return
        if self._settings.profile == "production":
            raise SandboxRequired(
                f"{reason}, so containers could reach this machine; run the Host or its broker as "
                "root with iptables installed"
            )
        if not self._said:
            _log.warning("containers can reach this machine", reason=reason)
            self._said = True

    def remove(self) -> None:
        """Take the rules away; fine when there are none."""
        for program in ("iptables", "ip6tables"):
            if shutil.which(program) is None:
                continue
            for hook in ("INPUT", "FORWARD", _DOCKER):
                chain = self._to_us if hook == "INPUT" else self._through
                while _run(program, "-D", hook, "-i", self._bridges, "-j", chain) is None:
                    pass
            for chain in (self._to_us, self._through):
                _run(program, "-F", chain)
                _run(program, "-X", chain)

    def _apply(self) -> str | None:
        """None when all rules are in force, else what went wrong."""
        problem = self._fill("iptables", self._rules()) or self._hook("iptables")
        if problem or not Path("/proc/net/if_inet6").exists():
            return problem
        nothing = [f"-A {chain} -j DROP" for chain in (self._to_us, self._through)]
        return self._fill("ip6tables", nothing) or self._hook("ip6tables")

    def _rules(self) -> list[str]:
        to_us, through = self._to_us, self._through
        answers = "-m conntrack --ctstate ESTABLISHED,RELATED"
        rules = [
            f"-A {to_us} {answers} -j ACCEPT",
            f"-A {to_us} -p tcp --dport {self._relay} -j ACCEPT",
            f"-A {through} {answers} -j RETURN",
        ]
        if self._settings.egress == "open":
            for server in _resolvers():
                for protocol in ("udp", "tcp"):
                    asks = f"-d {server} -p {protocol} --dport 53"
                    rules += [f"-A {to_us} {asks} -j ACCEPT", f"-A {through} {asks} -j RETURN"]
            rules += [f"-A {through} -d {network} -j DROP" for network in PRIVATE]
        else:
            rules += [f"-A {through} -j DROP"]
        return [*rules, f"-A {to_us} -j DROP"]

    def _fill(self, program: str, rules: list[str]) -> str | None:
        """Put the rules into our chains, in one step: there is no moment without them."""
        chains = [f":{chain} - [0:0]" for chain in (self._to_us, self._through)]
        text = "\n".join(["*filter", *chains, *rules, "COMMIT", ""])
        return _run(f"{program}-restore", "--noflush", text=text)

    def _hook(self, program: str) -> str | None:
        """Have packets of our bridges come by, before any other rule sees them."""
        for hook, chain in self._hooks(program):
            rule = (hook, "-i", self._bridges, "-j", chain)
            if _run(program, "-C", *rule) is not None and (problem := _run(program, "-I", *rule)):
                return problem
        return None

    def _hooks(self, program: str) -> tuple[tuple[str, str], ...]:
        """Docker leaves one chain to us. Where that is not there, for IPv6, or where somebody's
        flush took it out of FORWARD until the engine starts anew, it is FORWARD itself."""
        docker = program == "iptables" and _run(program, "-C", "FORWARD", "-j", _DOCKER) is None
        return ("INPUT", self._to_us), (_DOCKER if docker else "FORWARD", self._through)


def why_not() -> str | None:
    """None when this process can set rules, else the reason."""
    if shutil.which("iptables") is None:
        return "iptables is not installed"
    # Another user can too, where the program itself was given the right to.
    if os.getuid() != 0 and _run("iptables", "-S", "INPUT") is not None:
        return "growqr is not root and cannot set firewall rules"
    return None


def _resolvers() -> list[str]:
    """Name servers that a container asks itself; those on loopback the engine asks for it."""
    try:
        lines = _RESOLVERS.read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            try:
                address = ipaddress.IPv4Address(words[1])
            except ValueError:
                continue
            if not address.is_loopback:
                found.append(str(address))
    return found


def _run(program: str, *words: str, text: str | None = None) -> str | None:
    """None when it did its work, else its complaint."""
    try:
        done = subprocess.run(
            [program, *_WAIT, *words], input=text, capture_output=True, text=True,
            timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{program} does not run: {error}"
    if done.returncode == 0:
        return None
    return f"{program}: {' '.join(done.stderr.split()) or f'code {done.returncode}'}"
