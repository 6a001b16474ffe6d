"""No secret of an instance is in anything that it writes, whoever puts it where it is not due."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from growqr import names
from growqr.instance import services
from tests.attack.search import Text, found, kept, logs, metrics, processes, repositories, rows
from tests.fakes.messages_api import MessagesApi
from tests.instance_fixtures import CANARY, GITEA_CANARY
from tests.instances import Instance, Person

pytestmark = pytest.mark.cluster

SANDBOXED = "create count.py that writes 1 to 2 to count.txt, one a second, and run it"


WAYS = ("api token", "API key")
FORMS = {"sign-in link": "link={}", "cookie": "growqr_session={}"}
"""As what these are known to the filter: bare, they look like any random text."""


@pytest.fixture(scope="module")
def canaries(instance: Instance) -> dict[str, str]:
    """Every secret there is, by name."""
    person = instance.person()
    link = json.loads(instance.command("link", "--user", "canary", "--json").stdout)["url"]
    made = person.http.post("/api-keys", json={"name": "canary", "scopes": ["read"]})
    signed_in = person.http.post("/auth/exchange", json={})
    told = instance.command("token", "--user", "canary").stdout.strip().splitlines()[-1]
    database = instance.settings.database_url
    assert database
    return {
        "provider key": CANARY,
        "gitea token": GITEA_CANARY,
        "api token": told,
        "database password": urlsplit(database.get_secret_value()).password or "",
        "API key": made.json()["key"],
        "sign-in link": link.partition("link=")[2],
        "cookie": signed_in.cookies["growqr_session"],
        **kept(instance),
    }


def misplaced(instance: Instance, person: Person, word: str, *, opens: bool) -> Iterator[Text]:
    """Answers to requests with a secret where none belongs; `opens`: one may come in with it."""
    with httpx.Client(base_url=instance.url, timeout=20) as http:
        text = {"text": "hello"}
        to = "/api/v1/actors/me/message"
        mine = {**person.headers, "idempotency-key": secrets.token_hex(8)}
        asked = [
            http.get("/api/v1/users/me", headers={"authorization": f"Bearer {word}"}),
            http.get("/api/v1/users/me", headers={"authorization": f"Basic {word}"}),
            http.get("/api/v1/users/me", headers={"x-api-key": word, "user-agent": word}),
            http.get("/api/v1/users/me", headers={"cookie": f"growqr_session={word}"}),
            http.get(f"/api/v1/users/me?token={word}&access_token={word}"),
            http.get(f"/api/v1/turns/{word}", headers=mine),
            http.get(f"/api/v1/threads/{word}?cursor={word}", headers=mine),
            http.get(f"/{word}", headers=mine),
            http.get("/api/v1/threads", params={"limit": word}, headers=mine),
            http.request("".join(filter(str.isalnum, word))[:12], "/api/v1/threads", headers=mine),
            http.post(to, json={**text, word: word}, headers=mine),
            http.post(to, json={"text": 5, "thread_id": word}, headers=mine),
            http.post(to, content=f'{{"text": {word}', headers=mine),
            http.post("/gateway/anthropic/v1/messages", headers={"x-api-key": word}, json={}),
            http.post(f"/api/v1/approvals/{word}", json={"decision": word}, headers=mine),
            http.get(f"/git/{word}.git/info/refs?service={word}", auth=("x", word)),
        ]
    for answer in asked:
        if not opens:
            assert answer.status_code >= 400, (answer.request.url.path, answer.status_code)
        yield Text(f"answer to {answer.request.method} {answer.request.url}", answer.text)


def everything(instance: Instance) -> Iterator[Text]:
    for source in (logs, rows, metrics, repositories, processes):
        yield from source(instance)


def test_98_no_canary_is_anywhere_after_real_traffic(
    instance: Instance, messages_api: MessagesApi, canaries: dict[str, str]
) -> None:
    assert all(len(word) > 16 for word in canaries.values()), "a secret was not found"
    anna = instance.person()
    assert anna.ask("remember that the launch is on Friday")
    assert "count.txt" in anna.ask(SANDBOXED, 90)
    assert any(record.running for record in services.records(instance.data))
    messages_api.says = f"no good: {CANARY} of https://x:{CANARY}@models, token={GITEA_CANARY}"
    try:
        for order in ("[[status 400 9]]", "[[error api_error]]", "[[status 401 9]]"):
            assert anna.ended(anna.say(order), 60)["state"] == "failed"
    finally:
        messages_api.says = "as told"
    reasons = [e["data"]["error"]["message"] for e in anna.journal() if e["type"] == "turn.failed"]
    assert any("no good: ***" in reason for reason in reasons), reasons

    for name, word in canaries.items():
        shown = FORMS.get(name, "{}").format(word)
        wrong = found(misplaced(instance, anna, shown, opens=name in WAYS), {name: shown})
        assert wrong == {}, wrong
    assert found(everything(instance), canaries) == {}


def test_98_the_search_finds_what_was_planted_twin(instance: Instance) -> None:
    words = {name: f"plant-{secrets.token_hex(12)}" for name in ("log", "row", "git", "process")}
    anna = instance.person()
    anna.ask(f"hello {words['row']}")
    anna.ask(f"remember that the word is {words['git']}")
    log = instance.data / "logs" / "planted.log"
    log.write_text(f"one\n{words['log']}\n")
    command = [sys.executable, "-c", "input()", words["process"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        title = (f"/proc/{child.pid}/cmdline", words["process"])
        try:
            hits = found(everything(instance), words)
            with open(title[0], "rb") as told:
                assert found([Text("title", told.read().decode())], {"it": title[1]})
        finally:
            child.kill()
            log.unlink()
    user = names.local_user_id(anna.name)
    assert str(log) in hits["log"]
    assert {"table message", "table event"} <= hits["row"]
    assert any(place.endswith(f"{user}.git") for place in hits["git"])
    assert "process" not in hits, "a process of somebody else's was taken for the instance's"


def test_98_environments_of_sandboxes_are_read_twin(instance: Instance) -> None:
    anna = instance.person()
    assert "count.txt" in anna.ask(SANDBOXED, 90)
    running = [record for record in services.records(instance.data) if record.running]
    homes = {f"HOME={instance.settings.home(record.user_id)}" for record in running}
    assert homes
    hits = found(processes(instance), {home: home for home in homes})
    assert any(place.startswith("environ") for places in hits.values() for place in places)
    assert os.getpid() not in {record.pid for record in running}
