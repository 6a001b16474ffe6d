"""The thinking, without Ray: plain classes over the store, a model and tools.

agent.py         an agent's life: take the lease, claim turns, fall asleep
loop.py          a Grow Agent's turn: ask the model, run its tools, until nothing is left
conversation.py  what the model is told; valid for every provider, whatever crashed before
sub_agent.py     a sub-agent's turn: one prompt to the user's OpenCode
types/           the kinds of sub-agents, a leaf each
service_care.py  the Grow Agent's eye on its services: what becomes of them, what it is told
keeper.py        the lease: renewed while held, and proof of it before outside effects
deltas.py        a reply while it is being written
health.py        who moves each state on, until when, and what is done then
supervision.py   looks each second, and does what health says
compose.py       agents from settings
local.py         a Directory inside one process, for tests and tools
"""

from growqr.agents.agent import Agent, Ended
from growqr.agents.compose import Parts
from growqr.agents.health import Limits
from growqr.agents.local import LocalDirectory
from growqr.agents.supervision import Supervision
from growqr.agents.types import types

__all__ = ["Agent", "Ended", "Limits", "LocalDirectory", "Parts", "Supervision", "types"]
