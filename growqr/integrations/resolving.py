"""Names to addresses, each of them checked: what is connected to is what was checked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from growqr.errors import Invalid
from growqr.integrations.addresses import Network, is_allowed, is_own, is_public, read

Resolver: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""A name and a port → its addresses. Raises OSError for a name that has none."""

_AT_ONCE = 16
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class SystemResolver:
    """What the machine's own resolver says, on threads of its own.

    Whoever runs a name server may let it answer late: the loop's shared threads stay free.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "outside-names")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Every address, v4 and v6, in the system's order."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def close(self) -> None:
        """Take no more questions; those on their way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class CheckedResolver(AbstractResolver):
    """The resolver of the connector: the only way from a name to an address."""

    def __init__(self, names: Resolver, allow: Iterable[Network]) -> None:
        self._names = names
        self._allow = tuple(allow)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a name, or an address itself, in plain spelling.

        Raises Invalid when one of them is not public, OSError when there is none.
        """
        found = [host] if read(host) else await self._names(host, port)
        if not found:
            raise OSError("the name has no address")
        if not all(self._may_be_asked(address) for address in found):
            # Not which address it is: users would learn the names of this network.
            raise Invalid(
                f"{host} is not allowed: it leads to an address that is not on the public "
                "internet, or is this machine's own",
                {"reason": "not_public"},
            )
        return found

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As aiohttp wants it. One private address among the answers refuses them all."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=_NUMERIC,
            )
            for address in await self.addresses(host, port)
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def _may_be_asked(self, address: str) -> bool:
        if is_allowed(address, self._allow):
            return True
        return is_public(address) and not is_own(address)
