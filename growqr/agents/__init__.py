"""The thinking, without Ray: plain classes over the store, a model and tools.

grow_agent.py    an agent's life: take the lease, claim turns, fall asleep
loop.py          one turn: ask the model, run its tools, until it has nothing more to ask
conversation.py  what the model is told; valid for every provider, whatever crashed before
keeper.py        the lease: renewed while held, and proof of it before outside effects
deltas.py        a reply while it is being written
supervision.py   finds work nobody does, and owners that died
compose.py       an agent from settings
local.py         a Directory inside one process, for tests and tools
"""

from growqr.agents.compose import compose
from growqr.agents.grow_agent import Ended, GrowAgent
from growqr.agents.local import LocalDirectory
from growqr.agents.supervision import Supervision

__all__ = ["Ended", "GrowAgent", "LocalDirectory", "Supervision", "compose"]
