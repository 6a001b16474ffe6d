"""Anything else that takes several steps."""

from growqr.agents.types import SubAgentType

type = SubAgentType(
    name="general",
    purpose="does any other task of several steps in the user's workspace",
    system=(
        "You are a sub-agent. Do the task step by step in the current directory and end with a "
        "short report of what was done and what was not."
    ),
)
