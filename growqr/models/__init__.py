"""Models: how agents ask one, and the gateway that answers for whichever provider is set.

Agents use `GatewayModel`; the models app builds a `Gateway` over `open_provider(...)`. This door
imports no provider's SDK: an agent's process stays lean.

    base.py       ModelRequest, Reply, the protocols Model and Provider
    client.py     GatewayModel: a Model over the gateway
    stream.py     the wire: bytes ⇄ events ⇄ content blocks
    gateway.py    Gateway: admit, check, call, meter        callers.py  who may ask
    chat/         chat completions ⇄ our form               retry.py    asking a provider again
    providers/    one leaf per provider                     offline/    what the scripted one says
"""

from growqr.models.base import Block, Model, ModelRequest, OnDelta, Provider, Reply, StreamEvent
from growqr.models.callers import Caller
from growqr.models.client import GatewayModel
from growqr.models.gateway import MAX_BODY, Gateway, Ledger, Limits
from growqr.models.providers import open_provider
from growqr.models.stream import INVALID_JSON, Assembly, encode

__all__ = [
    "INVALID_JSON",
    "MAX_BODY",
    "Assembly",
    "Block",
    "Caller",
    "Gateway",
    "GatewayModel",
    "Ledger",
    "Limits",
    "Model",
    "ModelRequest",
    "OnDelta",
    "Provider",
    "Reply",
    "StreamEvent",
    "encode",
    "open_provider",
]
