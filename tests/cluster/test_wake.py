"""An idle user costs nothing and is answered at once; first requests start one agent."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from growqr import names
from growqr.actors.agents import CONNECTION
from growqr.store import open_store
from tests.cluster.test_failures import begun, holder
from tests.fakes.messages_api import MessagesApi
from tests.instances import Instance, Person, processes_of

WAKE = 3.0
"""Seconds until the first model call: three times what is promised of a quiet machine."""

REGISTERED, TALKED = 1000, 10


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """What `condition` gives as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not after {seconds:g} s: {what}"
        time.sleep(0.02)
    return found


def agents(instance: Instance) -> set[int]:
    """Pids of all agents' processes."""
    kinds = ("ray::GrowAgentActor", "ray::SubAgentActor")
    return {p.pid for p in processes_of(instance) if p.title.startswith(kinds)}


def connections(instance: Instance) -> int:
    """Database connections that agents hold, those of other instances on the server left out."""
    url = instance.settings.database_url
    assert url
    with psycopg.connect(url.get_secret_value(), autocommit=True) as conn:
        rows = conn.execute(
            "select client_port from pg_stat_activity where application_name = %s", [CONNECTION]
        ).fetchall()
    return len({port for (port,) in rows} - ports_beside(instance))


def ports_beside(instance: Instance) -> set[int]:
    """Local ports of processes that are not of this instance."""
    ours = {process.pid for process in processes_of(instance)}
    found: set[int] = set()
    for process in psutil.process_iter():
        if process.pid not in ours:
            with suppress(psutil.Error):
                found |= {wire.laddr.port for wire in process.net_connections("tcp")}
    return found


def hung_up(instance: Instance, pid: int) -> bool:
    """Whether the process has no connection to the database."""
    url = instance.settings.database_url
    assert url
    port = int(conninfo_to_dict(url.get_secret_value()).get("port") or 5432)
    peers = [wire.raddr for wire in psutil.Process(pid).net_connections("tcp")]
    return port not in [peer.port for peer in peers if peer]


def leases(instance: Instance) -> set[str]:
    """Keys of the agents' live leases."""

    async def read() -> set[str]:
        async with open_store(instance.settings, 1) as store:
            return {lease.key for lease in await store.leases.live_holders()}

    return asyncio.run(read())


def first_call(api: MessagesApi, mark: str) -> float:
    """When the model was first asked with `mark` in the last message."""

    def found() -> list[float]:
        return [r.at for r in list(api.requests) if mark in str(r.body["messages"][-1])]

    return float(until(found, "a model call")[0])


def state(person: Person) -> str:
    return str(person.get("/actors/me")["state"])


def wake(person: Person, api: MessagesApi) -> float:
    """Seconds from a message to the first model call about it."""
    mark = uuid.uuid4().hex
    said = time.monotonic()
    turn = person.say(mark)
    took = first_call(api, mark) - said
    assert person.ended(turn)["state"] == "completed"
    return took


def test_an_agent_wakes_on_a_worker_that_was_kept_ready(
    instance: Instance, messages_api: MessagesApi
):
    def idle() -> set[int]:
        return {p.pid for p in processes_of(instance) if p.title.startswith("ray::IDLE")}

    anna = instance.person()
    until(lambda: len(idle()) >= instance.settings.warm_workers, "warm workers", 60)
    ready = idle()
    took = wake(anna, messages_api)
    pid, epoch = holder(instance, anna)
    print(f"first message → first model call on a warm worker: {took * 1000:.0f} ms")
    assert pid in ready
    assert epoch == 1
    assert took < WAKE
    until(lambda: idle() - ready, "a worker in its place", 60)


def test_a_sleeping_agent_thinks_soon_after_the_message(
    instance: Instance, messages_api: MessagesApi
):
    anna = instance.person()
    anna.ask("hello")
    assert anna.http.post("/actors/me/stop", json={}).status_code == 202
    pid, epoch = holder(instance, anna)
    until(lambda: state(anna) == "asleep" and pid not in agents(instance), "its sleep")
    took = wake(anna, messages_api)
    print(f"asleep → first model call: {took * 1000:.0f} ms")
    assert took < WAKE
    assert holder(instance, anna)[1] == epoch + 1


def test_sign_in_wakes_the_agent_before_it_is_needed(instance: Instance, messages_api: MessagesApi):
    anna = instance.person()
    assert anna.http.post("/users/bootstrap", json={}).status_code == 200
    until(lambda: state(anna) == "awake", "the agent is awake")
    before = holder(instance, anna)
    took = wake(anna, messages_api)
    print(f"awake since sign-in: first model call after {took * 1000:.0f} ms")
    assert holder(instance, anna) == before
    assert before[1] == 1


def test_thinking_waits_for_no_service(lab: Instance):
    anna = lab.person()
    agent = anna.http.post("/actors/me/sub-agents", json={"type": "coding"}).json()["id"]
    run = f"/actors/me/sub-agents/{agent}/run"
    task = anna.http.post(run, json={"prompt": "run true"}).json()["turn_id"]
    begun(anna, task)
    anna.ask("hello")
    assert anna.get("/actors/me")["stack"]["opencode"]["state"] != "ready"
    anna.http.post(f"/turns/{task}/cancel", json={})
    assert anna.ended(task)["state"] in ("cancelled", "failed")


def test_an_awake_agent_without_work_holds_no_connection(instance: Instance):
    anna = instance.person()
    turn = anna.say("[[slow 0.1]] hello")
    begun(anna, turn)
    pid, _ = holder(instance, anna)
    until(lambda: hung_up(instance, pid) is False, "its connection")
    anna.ended(turn)
    until(lambda: hung_up(instance, pid), "the agent has hung up", 60)
    assert names.grow_agent(names.local_user_id(anna.name)) in leases(instance)
    assert pid in agents(instance)


def test_users_with_nothing_to_do_cost_no_process_and_no_connection(lab: Instance):
    async def register() -> None:
        async with open_store(lab.settings, 4) as store:

            async def some(first: int) -> None:
                for number in range(first, REGISTERED, 4):
                    name = f"crowd-{number}"
                    await store.users.ensure(
                        names.local_user_id(name), issuer="growqr:local", subject=name, name=name
                    )

            await asyncio.gather(*(some(first) for first in range(4)))

    asyncio.run(register())
    people = [lab.person(f"crowd-{number}") for number in range(TALKED)]
    turns = [person.say("hello") for person in people]
    until(lambda: len(agents(lab)) >= 2 and connections(lab), "agents at work")
    for person, turn in zip(people, turns, strict=True):
        assert person.ended(turn, 60)["state"] == "completed"
    until(lambda: not agents(lab), "no agent's process", 60)
    assert connections(lab) == 0
    assert leases(lab) == set()
    assert {state(person) for person in people} == {"asleep"}


class Answer(NamedTuple):
    status: int
    body: Any


def test_200_first_requests_at_once_over_two_replicas_start_one_agent(instance: Instance):
    anna = instance.person()
    replicas = [p for p in processes_of(instance) if p.title.startswith("ray::ServeReplica:api")]
    assert len(replicas) == 2
    others = agents(instance)
    kinds = [("POST", "/actors/me/message"), *[("POST", "/users/bootstrap")] * 4]
    kinds += [("GET", "/actors/me")] * 3 + [("GET", "/users/me")] * 2
    began = time.monotonic()
    answers = asyncio.run(at_once(anna, kinds * 20))
    print(f"200 first requests answered after {time.monotonic() - began:.1f} s")
    wrong = [answer for answer in answers if answer.status not in (200, 202)]
    assert not wrong, wrong[:3]
    turns = {answer.body["turn_id"] for answer in answers if answer.status == 202}
    assert len(turns) == 20
    assert {anna.ended(turn, 90)["state"] for turn in turns} == {"completed"}
    pid, epoch = holder(instance, anna)
    assert epoch == 1
    assert agents(instance) - others == {pid}
    assert str(pid) in instance.command("status", "--pids", "agents").stdout.split()
    journal = anna.journal()
    assert [e["seq"] for e in journal] == list(range(1, len(journal) + 1))
    assert {e["data"]["epoch"] for e in journal if e["type"] == "turn.started"} == {1}


def test_50_first_requests_at_once_make_one_user_one_agent_one_stack(instance: Instance):
    anna = instance.person()
    kinds = [("POST", "/actors/provision"), ("POST", "/users/bootstrap"), ("GET", "/users/me")]
    began = time.monotonic()
    answers = asyncio.run(at_once(anna, (kinds * 17)[:50]))
    wrong = [answer for answer in answers if answer.status not in (200, 202)]
    assert not wrong, wrong[:3]

    def ready() -> bool:
        return anna.get("/actors/me")["stack"]["opencode"]["state"] == "ready"

    until(ready, "its OpenCode is ready", 60)
    print(f"50 first requests, one stack ready after {time.monotonic() - began:.1f} s")
    user_id = names.local_user_id(anna.name)
    assert asyncio.run(rows(instance, user_id)) == {"users": 1, "lease": 1, "service": 1}
    assert anna.get("/actors/me")["epoch"] == 1
    assert anna.get("/actors/me")["stack"]["opencode"]["generation"] == 1
    anna.http.post("/opencode/workspaces/me/stop", json={})


async def rows(instance: Instance, user_id: str) -> dict[str, int]:
    """How many there are of what must be there once: the agent's lease, its OpenCode."""
    url = instance.settings.database_url
    assert url is not None
    found = {}
    async with await psycopg.AsyncConnection.connect(url.get_secret_value()) as conn:
        for table, where in (
            ("users", "id = %(user)s"),
            ("lease", "user_id = %(user)s and key like 'grow-agent:%%'"),
            ("service", "user_id = %(user)s and role = 'opencode'"),
        ):
            query = f"select count(*) from {table} where {where}".encode()
            row = await (await conn.execute(query, {"user": user_id})).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


async def at_once(person: Person, requests: list[tuple[str, str]]) -> list[Answer]:
    """Answers of requests that all have their own connection before the first of them is sent."""
    address = person.instance.url.removeprefix("http://")
    host, port = address.split(":")
    gate = asyncio.Barrier(len(requests))

    async def one(number: int, method: str, path: str) -> Answer:
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps({"text": f"hello {number}"} if "message" in path else {})
        head = [f"{method} /api/v1{path} HTTP/1.1", f"host: {address}", "connection: close"]
        head += [f"authorization: {person.headers['authorization']}"]
        head += [f"idempotency-key: first-{number}"] * ("message" in path)
        head += ["content-type: application/json"]
        head += [f"content-length: {len(body) if method == 'POST' else 0}", "", ""]
        await gate.wait()
        writer.write(("\r\n".join(head) + (body if method == "POST" else "")).encode())
        told, _, content = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return Answer(int(told.split()[1]), json.loads(content))

    async with asyncio.timeout(60):
        calls = [one(number, *request) for number, request in enumerate(requests)]
        return await asyncio.gather(*calls)
