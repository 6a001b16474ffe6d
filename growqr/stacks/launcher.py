"""Starts one service so that it outlives whoever asked; run as a file, without imports of ours.

Reads an order as JSON from stdin (see `process.py`), forks twice into a session of its own, and
writes the service's record before it lets the service begin: what runs is always recorded.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

ARGS, INFO, GO = 7, 8, 9
"""Descriptors of the new process: bubblewrap's options, where it tells its pid, the start sign."""

# The first process inside: waits for the start sign, passes SIGTERM on, buries orphans, and ends
# when the service ends; the kernel then ends everything that is left in the namespace.
INIT = """
read -r go <&9 || exit 75
exec 7<&- 8>&- 9<&-
"$@" &
service=$!
trap 'kill -TERM $service 2>/dev/null' TERM INT
while :; do
  wait $service; code=$?
  kill -0 $service 2>/dev/null || break
done
echo "growqr: the service ended with code $code"
exit $code
"""


def main() -> None:
    """Carry out one order; prints the record. Exit code 1 with the reason on stderr."""
    order: dict[str, Any] = json.load(sys.stdin)
    lock = os.open(order["lock"], os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two servers never share one home
    if _runs(Path(order["record"])):
        sys.exit("it runs already")
    told, tell = os.pipe()
    wait, go = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _become(order, tell, wait)
    os.wait()
    os.close(tell)
    os.close(wait)
    pid = _told_pid(told)
    ticks, _ = _seen(pid) if pid else (None, None)
    if pid is None or ticks is None:
        sys.exit("it did not start")
    record = order["fields"] | {"pid": pid, "ticks": ticks, "started_at": time.time()}
    _write(Path(order["record"]), json.dumps(record, indent=1))
    os.write(go, b"go\n")
    print(json.dumps(record))


def _become(order: dict[str, Any], tell: int, wait: int) -> NoReturn:
    """The grandchild: connect the descriptors and turn into the service's first process."""
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        options = os.memfd_create("options")
        os.write(options, b"".join(text.encode() + b"\0" for text in order["options"]))
        os.lseek(options, 0, os.SEEK_SET)
        wanted = {0: nothing, 1: log, 2: log, ARGS: options, INFO: tell, GO: wait}
        high = {new: fcntl.fcntl(old, fcntl.F_DUPFD, 32) for new, old in wanted.items()}
        for new, old in high.items():
            os.dup2(old, new)
        os.closerange(GO + 1, 256)
        os.closerange(3, ARGS)
        os.umask(0o077)
        if not order["options"]:
            os.write(INFO, json.dumps({"child-pid": os.getpid()}).encode())
            os.chdir(order["workdir"])
        os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606 (no shell is the point)
    except OSError as error:
        os.write(2, f"growqr: cannot start {order['argv'][0]}: {error}\n".encode())
    os._exit(75)


def _told_pid(told: int) -> int | None:
    """The pid of the first process inside, as bubblewrap tells it; None when it gave up."""
    text = b""
    while part := os.read(told, 4096):
        text += part
        if text.rstrip().endswith(b"}"):
            return int(json.loads(text)["child-pid"])
    return None


def _runs(record: Path) -> bool:
    try:
        known = json.loads(record.read_text())
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        ticks, state = _seen(known["pid"])
    except (OSError, ValueError, KeyError):
        return False
    return known["boot"] == boot and ticks == known["ticks"] and state not in ("Z", "X")


def _seen(pid: int) -> tuple[int | None, str | None]:
    """(start time in ticks, state) of a process; None twice when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None, None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[19]), fields[0]


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


if __name__ == "__main__":
    main()
