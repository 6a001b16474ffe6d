"""Ray's side of the product: thin shells that construct, delegate and stop.

life.py         a coroutine on a thread of its own, for as long as the actor lives
agents.py       one epoch of a Grow Agent or a sub-agent
supervisor.py   replaces the dead
warm.py         never-used workers kept ready; preload.py is what they import
host.py         what a node does for its users: memory into git, services as wanted
directory.py    RayDirectory: reach an agent, or start it
system.py       the actors that every instance has
"""

from growqr.actors.directory import RayDirectory
from growqr.actors.system import ensure_system_actors, ensure_system_actors_async

__all__ = ["RayDirectory", "ensure_system_actors", "ensure_system_actors_async"]
