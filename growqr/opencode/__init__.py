"""OpenCode as the hands of sub-agents: one prompt in, our own progress and outcome out.

`Bridge` runs prompts and outlives dropped streams and killed servers; `new_prompt` makes the ids a
caller journals before it runs one. Only this room knows OpenCode's shapes (release 1.18.33).
client.py is the server's HTTP API · events.py what we tell · transcript.py theirs → ours ·
feed.py the one event reader · run.py one prompt to its end · resync.py what the server knows of
it · policy.py answers to permission requests · bridge.py puts them together.
"""

from growqr.opencode.bridge import Bridge
from growqr.opencode.client import PINNED, OpenCode, Server
from growqr.opencode.events import Outcome, Progress, ToolUse
from growqr.opencode.ids import PromptIds, new_prompt
from growqr.opencode.run import Limits

__all__ = [
    "PINNED",
    "Bridge",
    "Limits",
    "OpenCode",
    "Outcome",
    "Progress",
    "PromptIds",
    "Server",
    "ToolUse",
    "new_prompt",
]
