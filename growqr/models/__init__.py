"""Models: how agents ask one, and the gateway that answers for whichever provider is set.

Agents use `GatewayModel`; the models app builds a `Gateway` over a `Chain` of providers. This door
imports no provider's SDK: an agent's process stays lean.

    base.py       ModelRequest, Reply, the protocols Model and Provider
    client.py     GatewayModel: a Model over the gateway
    stream.py     the wire: bytes ⇄ events ⇄ content blocks
    gateway.py    Gateway: admit, check, call, meter        callers.py  who may ask
    chain.py      providers in turn                         retry.py    asking one again
    trouble.py    their failures in our words               prices.py   what a call costs
    providers/    one leaf per provider                     offline/    what the scripted one says
    chat/         chat completions ⇄ our form
"""

from growqr.models.base import Block, Model, ModelRequest, OnDelta, Provider, Reply, StreamEvent
from growqr.models.callers import Caller
from growqr.models.chain import Chain, Link
from growqr.models.client import GatewayModel
from growqr.models.gateway import MAX_BODY, Gateway, Ledger, Limits
from growqr.models.providers import open_provider
from growqr.models.retry import Persistence
from growqr.models.stream import INVALID_JSON, Assembly, encode

__all__ = [
    "INVALID_JSON",
    "MAX_BODY",
    "Assembly",
    "Block",
    "Caller",
    "Chain",
    "Gateway",
    "GatewayModel",
    "Ledger",
    "Limits",
    "Link",
    "Model",
    "ModelRequest",
    "OnDelta",
    "Persistence",
    "Provider",
    "Reply",
    "StreamEvent",
    "encode",
    "open_provider",
]
