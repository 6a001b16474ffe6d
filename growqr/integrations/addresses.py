"""Which IP addresses belong to the public internet, by a table of our own.

Python's `is_global` changes between versions and does not look inside every embedded form.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK: Final[frozenset[Network]] = frozenset(
    {ip_network("127.0.0.0/8"), ip_network("::1/128")},
)

_CLOSED_V4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own services, at an address that looks public
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
_GLOBAL_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = [
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments; Teredo, benchmarks and ORCHID are among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: a tunnel to whatever IPv4 address stands inside
        "3fff::/20",
    )
]
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 inside the last 32 bits; where DNS64 is in use, every IPv4 name resolves to the latter."""


def is_public(address: str) -> bool:
    """Whether `address` is an IP address that anybody on the internet would reach as well.

    An IPv6 address that carries an IPv4 address is judged by that one, or refused: 6to4, Teredo
    and NAT64 of local use always are. Whatever is no plain address is not public.
    """
    ip = read(address)
    if isinstance(ip, IPv6Address) and (ip in _MAPPED or ip in _NAT64):
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    match ip:
        case IPv4Address():
            return not any(ip in network for network in _CLOSED_V4)
        case IPv6Address():
            return ip in _GLOBAL_V6 and not any(ip in network for network in _CLOSED_V6)
        case _:
            return False


def read(address: str) -> IPv4Address | IPv6Address | None:
    """The address in its one usual spelling; None for odd ones, for zones and for names."""
    try:
        return None if "%" in address else ip_address(address)
    except ValueError:
        return None


def is_allowed(address: str, allow: Iterable[Network]) -> bool:
    """Whether one of these networks holds the address as it is spelled."""
    ip = read(address)
    return ip is not None and any(ip in network for network in allow)


def is_own(address: str) -> bool:
    """Whether this machine itself answers at the address: a public one it has may be among these.

    Asks the routing table; no packet leaves.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return read(str(probe.getsockname()[0])) == read(address)
    except OSError:  # nothing leads there, or this machine does not speak that family
        return False
