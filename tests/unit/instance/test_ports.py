"""One base port decides every listener; a taken one is named before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from growqr.errors import InstanceError
from growqr.instance import ports
from growqr.instance.ports import BLOCK, Ports


@pytest.fixture
def block() -> Ports:
    return ports.free_block()


@pytest.fixture
def listener(block: Ports) -> Iterator[int]:
    """Somebody else's server on the port meant for the dashboard."""
    with socket.create_server(("127.0.0.1", block["dashboard"])):
        yield block["dashboard"]


def test_every_listener_lies_inside_its_block_and_none_is_shared() -> None:
    block = Ports(20000)
    http, grpc = range(*block.replica_http), range(*block.replica_grpc)
    used = [*block.table().values(), *http, http.stop, *grpc, grpc.stop]

    assert len(used) == len(set(used))
    assert all(20000 <= port < 20000 + BLOCK for port in used)
    assert block["http"] == 20000


def test_blocks_of_neighbours_do_not_touch() -> None:
    mine, theirs = Ports(20000), Ports(20000 + BLOCK)

    assert max(mine.table().values(), default=0) < theirs["http"]
    assert mine.replica_grpc[1] < theirs["http"]


def test_a_taken_port_is_named_with_the_way_out(block: Ports, listener: int) -> None:
    with pytest.raises(InstanceError, match=rf"port {listener} \(dashboard\).*--port"):
        ports.choose(block.base)


def test_zero_finds_a_block_that_can_be_bound() -> None:
    found = ports.choose(0)

    assert found.taken() == []


def test_zero_passes_over_a_block_in_use(
    block: Ports, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "SEARCH", range(block.base, block.base + 1, BLOCK))

    with pytest.raises(InstanceError, match="no free block"):
        ports.choose(0)
