"""What an agent needs before it can think; every worker imports it before it is given an actor."""

from __future__ import annotations

from growqr.actors import agents
from growqr.agents.types import types
from growqr.tools import discover

__all__ = ["agents"]

discover()
types()
