"""Integrations: how other services reach us, and how we reach addresses that users name.

outside.py     Outside: the client for such requests
urls.py        which URLs may be asked          addresses.py  which addresses are public
resolving.py   names to checked addresses       answers.py    headers and bodies, bounded
git.py         repositories and references      signatures/   webhooks that come in, one leaf
                                                              a provider
"""

from growqr.integrations.addresses import LOOPBACK, Network, is_public
from growqr.integrations.answers import Answer
from growqr.integrations.git import (
    GIT_SAFE,
    check_ref,
    check_repository,
    git_environment,
    git_pins,
)
from growqr.integrations.outside import Outside
from growqr.integrations.resolving import Resolver
from growqr.integrations.signatures import Delivery, schemes, sign, verify
from growqr.integrations.urls import check_url

__all__ = [
    "GIT_SAFE",
    "LOOPBACK",
    "Answer",
    "Delivery",
    "Network",
    "Outside",
    "Resolver",
    "check_ref",
    "check_repository",
    "check_url",
    "git_environment",
    "git_pins",
    "is_public",
    "schemes",
    "sign",
    "verify",
]
