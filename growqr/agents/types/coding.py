"""Writes and runs code."""

from growqr.agents.types import SubAgentType

type = SubAgentType(
    name="coding",
    purpose="writes, changes and runs code in the user's workspace",
    system=(
        "You are a coding sub-agent. Work in the current directory. Do what is asked and nothing "
        "else, run what you wrote, and end with one short report: files, commands, results."
    ),
)
