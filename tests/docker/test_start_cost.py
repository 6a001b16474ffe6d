"""What our walls, networks and checks cost: a start by us against the same by hand, in one run."""

from __future__ import annotations

import asyncio
import http.client
import statistics
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from growqr.config import load
from growqr.stacks import ServiceSpec, gitea_spec, opencode_spec
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


def gitea(ours: Bench, user: str, image: str) -> ServiceSpec:
    """A user's Gitea as the product starts it."""
    settings = load(
        data=ours.settings.data, database_url=None, runtime="docker", gitea="per_user",
        port=ours.settings.port, gitea_image=image,
    )  # fmt: skip
    return gitea_spec(settings, user, 1, secret_key="k" * 40, internal_token="t" * 40)


def by_hand(client: Any, specs: list[ServiceSpec], name: str) -> float:
    """Seconds from nothing to the last good answer: a network, containers, questions."""
    for spec in specs:
        for folder in (spec.home, spec.workdir, *spec.read_only):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
    begun = time.perf_counter()
    network = client.networks.create(name, internal=True)
    try:
        with ThreadPoolExecutor() as both:
            for one in [both.submit(_one_by_hand, client, spec, name) for spec in specs]:
                one.result()
        return time.perf_counter() - begun
    finally:
        for left in client.containers.list(all=True, filters={"name": f"{name}-"}):
            left.remove(force=True, v=True)
        network.remove()


def _one_by_hand(client: Any, spec: ServiceSpec, network: str) -> None:
    place = Place(
        name=f"{network}-{spec.role}", instance="by-hand", network=network, gate="127.0.0.1",
        owner=(1000, 1000), cores=2, walls="none-address", folders="{}",
    )  # fmt: skip
    container = client.containers.create(**arguments(spec, place))
    container.start()
    container.reload()
    ip = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
    while not answers(ip, spec):
        time.sleep(0.02)


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


async def by_us(ours: Bench, specs: list[ServiceSpec]) -> float:
    begun = time.perf_counter()
    found = await asyncio.gather(*(ours.made[0].ensure(spec) for spec in specs))
    took = time.perf_counter() - begun
    assert {status.state for status in found} == {"ready"}, found
    for spec in specs:
        await ours.made[0].remove(spec.name)
    return took


@pytest.mark.parametrize(
    ("images", "runs"),
    [(["trivial_image"], 9), (["opencode_image", "gitea_image"], 3)],
    ids=["trivial", "pair"],
)
async def test_a_start_costs_little_more_than_by_hand(
    request: pytest.FixtureRequest, tmp_path: Path, images: list[str], runs: int
) -> None:
    names = [request.getfixturevalue(image) for image in images]
    async with bench(tmp_path / "data") as ours:

        def specs(user: str) -> list[ServiceSpec]:
            return [
                make(ours, user, name) for make, name in zip((opencode, gitea), names, strict=False)
            ]

        ours.runtime()
        client = await asyncio.to_thread(connect)
        hand, us = [], []
        await by_us(ours, specs("u_first"))  # the runtime finds out where it is
        for number in range(runs):
            place = f"{ours.settings.stack_prefix}-hand"
            hand.append(await asyncio.to_thread(by_hand, client, specs(f"u_h{number}"), place))
            us.append(await by_us(ours, specs(f"u_o{number}")))
        client.close()

    ratio = statistics.median(us) / statistics.median(hand)
    print(
        f"{' and '.join(names)}: by hand {statistics.median(hand):.2f} s, "
        f"by us {statistics.median(us):.2f} s, ratio {ratio:.2f}"
    )
    assert ratio <= BOUND
