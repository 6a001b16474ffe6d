"""Chat completions, translated to and from our own form, in which every provider answers.

requests.py   a request, either way            streams.py   a streamed reply, either way
"""

from growqr.models.chat.requests import call_ids, from_chat, to_chat
from growqr.models.chat.streams import DONE, Chunks, Events, encode_chunk

__all__ = ["DONE", "Chunks", "Events", "call_ids", "encode_chunk", "from_chat", "to_chat"]
