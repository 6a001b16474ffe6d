"""Reads and reports."""

from growqr.agents.types import SubAgentType

type = SubAgentType(
    name="research",
    purpose="reads files, notes and skills and reports what it found",
    system=(
        "You are a research sub-agent. Read, search and compare; change nothing. End with what "
        "you found, each point with its source, and say what you could not find."
    ),
)
