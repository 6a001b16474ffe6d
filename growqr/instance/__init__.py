"""PostgreSQL and Ray of one instance under our own supervision, on this machine (Linux).

    plan → start → follow, stop     what the command line does (control.py)
    Daemon                          the supervisor, a process of its own (daemon.py)
    Postgres, RayHead               its two children; deploy.py runs the apps
    check_machine                   what this machine lacks (checks.py)
    exposure                        what of an instance others can reach (exposure.py)
    Ports, Record                   where everything listens; `<data>/instance.json`

A start is a rebuild from PostgreSQL; what runs is found by pid, start time and session.
"""

from growqr.instance.binaries import find as find_postgres
from growqr.instance.checks import Check
from growqr.instance.checks import machine as check_machine
from growqr.instance.control import Plan, command, follow, plan, start, stop
from growqr.instance.exposure import exposure
from growqr.instance.folder import instance_id
from growqr.instance.ports import Ports
from growqr.instance.postgres import Postgres
from growqr.instance.ray_head import answers
from growqr.instance.record import Record

__all__ = [
    "Check",
    "Plan",
    "Ports",
    "Postgres",
    "Record",
    "answers",
    "check_machine",
    "command",
    "exposure",
    "find_postgres",
    "follow",
    "instance_id",
    "plan",
    "start",
    "stop",
]
