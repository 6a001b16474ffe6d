"""What our walls, networks and checks cost: a start by us against the same by hand, in one run."""

from __future__ import annotations

import asyncio
import http.client
import statistics
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from growqr.config import load
from growqr.stacks import ServiceSpec, opencode_spec
from growqr.stacks.docker.engine import connect
from growqr.stacks.docker.profile import Place, arguments
from tests.containers import Bench, bench

pytestmark = [pytest.mark.anyio, pytest.mark.docker]

BOUND = 1.3


def opencode(ours: Bench, user: str, image: str) -> ServiceSpec:
    """A user's OpenCode as the product starts it."""
    settings = load(
        data=ours.settings.data, database_url=None, runtime="docker",
        port=ours.settings.port, opencode_image=image,
    )  # fmt: skip
    return opencode_spec(settings, user, 1, token="gqm.x", password="s3cret")


def by_hand(client: Any, spec: ServiceSpec, name: str) -> float:
    """Seconds from nothing to the first good answer: a network, a container, questions."""
    for folder in (spec.home, spec.workdir, *spec.read_only):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
    begun = time.perf_counter()
    network = client.networks.create(name, internal=True)
    container = None
    try:
        place = Place(
            name=name, instance="by-hand", network=name, gate="127.0.0.1", owner=(1000, 1000),
            cores=2, walls="none-address", folders="{}",
        )  # fmt: skip
        container = client.containers.create(**arguments(spec, place))
        container.start()
        container.reload()
        ip = container.attrs["NetworkSettings"]["Networks"][name]["IPAddress"]
        while not answers(ip, spec):
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        if container is not None:
            container.remove(force=True)
        network.remove()


def answers(ip: str, spec: ServiceSpec) -> bool:
    asked = http.client.HTTPConnection(ip, spec.port, timeout=1.0)
    login = b64encode(f"{spec.health.user}:{spec.health.password}".encode()).decode()
    try:
        asked.request("GET", spec.health.path, headers={"Authorization": f"Basic {login}"})
        return asked.getresponse().status == 200
    except OSError:
        return False
    finally:
        asked.close()


async def by_us(ours: Bench, spec: ServiceSpec) -> float:
    begun = time.perf_counter()
    status = await ours.made[0].ensure(spec)
    took = time.perf_counter() - begun
    assert (status.state, status.reason) == ("ready", None)
    await ours.made[0].remove(spec.name)
    return took


@pytest.mark.parametrize(("image", "runs"), [("trivial_image", 9), ("opencode_image", 3)])
async def test_a_start_costs_little_more_than_by_hand(
    request: pytest.FixtureRequest, tmp_path: Path, image: str, runs: int
) -> None:
    name = request.getfixturevalue(image)
    async with bench(tmp_path / "data") as ours:
        ours.runtime()
        client = await asyncio.to_thread(connect)
        hand, us = [], []
        await by_us(ours, opencode(ours, "u_first", name))  # the runtime finds out where it is
        for number in range(runs):
            spec = opencode(ours, f"u_h{number}", name)
            place = f"{ours.settings.stack_prefix}-hand"
            hand.append(await asyncio.to_thread(by_hand, client, spec, place))
            us.append(await by_us(ours, opencode(ours, f"u_o{number}", name)))
        client.close()

    ratio = statistics.median(us) / statistics.median(hand)
    print(
        f"{name}: by hand {statistics.median(hand):.2f} s, by us {statistics.median(us):.2f} s, "
        f"ratio {ratio:.2f}"
    )
    assert ratio <= BOUND
