"""A replica's own port for other replicas stays on this machine, as everything else of Ray does."""

from __future__ import annotations

from typing import Any


def bind_to_loopback() -> None:
    """Call it in a replica before its application is up. Ray offers no setting for that port."""
    from ray.serve._private import replica

    add = getattr(replica, "add_port_to_grpc_server", None)
    if add is None or getattr(add, "__name__", "") == _on_loopback.__name__:
        return  # another Ray, or done: `growqr doctor` names what is open

    def _add(server: Any, address: str) -> Any:
        return add(server, _on_loopback(address))

    _add.__name__ = _on_loopback.__name__
    replica.add_port_to_grpc_server = _add  # type: ignore[attr-defined]  # imported there


def _on_loopback(address: str) -> str:
    return address.replace("[::]", "127.0.0.1")
