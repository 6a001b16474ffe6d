"""Whatever is sent to a route, the answer is one of the document's: no 5xx, a status, a content
type and a body that it names. Known callers come by every way; strangers get no further than 401.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as chosen
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as of_document

from growqr.config import Settings
from growqr.errors import GrowqrError
from growqr.store import migrate
from tests.attack.fuzzed import GITHUB, NO_LIMITS, WAYS, Scene, served
from tests.conftest import in_schema

# The server's thread uses `random` too, while something is drawn.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

EXAMPLES = int(os.environ.get("GROWQR_TEST_EXAMPLES", "20"))
"""Requests to a route, of known callers and again of strangers."""

DEADLINE = 15.0
"""Seconds for one answer; the ingress gives up after ten."""

DOCUMENT = json.loads((Path(__file__).parents[2] / "openapi.json").read_text())
CHECKS = [
    schemathesis.checks.not_a_server_error,
    of_document.status_code_conformance,
    of_document.content_type_conformance,
    of_document.response_headers_conformance,
    of_document.response_schema_conformance,
]
GOOD = {
    "POST /api/v1/actors/{user}/sub-agents": {"type": "coding"},
    "PATCH /api/v1/admin/users/{member_id}": {"role": "member"},
    "POST /api/v1/api-keys": {"name": "k", "scopes": ["memory:read"], "day_tokens": 1},
    "PATCH /api/v1/threads/{thread_id}": {"title": "another"},
    "POST /api/v1/timers": {"text": "hello", "seconds": 60},
}
"""Bodies whose rules no schema tells."""

MAY_FORGET = {"POST /api/v1/auth/logout", "POST /api/v1/auth/exchange"}
"""After the one the caller is a stranger; the other one knows tokens only."""


def schema_of(document: dict[str, Any], *, credentials: bool) -> Any:
    """The document as schemathesis reads it; with made-up `credentials` among what it sends."""
    generation = {"with-security-parameters": credentials}
    config = schemathesis.Config.from_dict({"generation": generation})
    return schemathesis.openapi.from_dict(document, config=config)


def routes(*, streams: bool = False) -> list[str]:
    """`METHOD /path` of every operation; streams have no end and are asked for on their own."""
    return [
        f"{method.upper()} {path}"
        for path, operations in sorted(DOCUMENT["paths"].items())
        for method, operation in operations.items()
        if ("text/event-stream" in str(operation["responses"])) is streams
    ]


KNOWN, STRANGE = (schema_of(DOCUMENT, credentials=given) for given in (False, True))


@pytest.fixture(scope="module")
def scene(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    schema = f"t_{secrets.token_hex(6)}"
    chosen = {"data": tmp_path_factory.mktemp("fuzz"), **NO_LIMITS, **GITHUB}
    settings = Settings.model_validate(chosen)
    with pytest.MonkeyPatch.context() as patched, psycopg.connect(
        postgres_url, autocommit=True
    ) as conn:  # fmt: skip
        patched.setattr("growqr.api.routes.memory.COMMIT_SECONDS", 0.0)  # nobody commits here
        conn.execute(f"create schema {schema}".encode())
        url = in_schema(postgres_url, schema)
        asyncio.run(migrate(url))
        with served(settings, url) as running:
            yield running
        conn.execute(f"drop schema {schema} cascade".encode())


def examples(count: int) -> Any:
    """As many as asked for, the same ones in every run, and no time limit but our own."""
    return chosen(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def drawn(data: st.DataObject, schema: Any, route: str) -> schemathesis.Case:
    """What to send: mostly what the document allows, else what it forbids where it can."""
    method, path = route.split(" ")
    operation = schema[path][method]
    modes = [GenerationMode.POSITIVE] * 2
    if operation.body or any(operation.iter_parameters()):
        modes.append(GenerationMode.NEGATIVE)
    mode = data.draw(st.sampled_from(modes))
    return data.draw(operation.as_strategy(generation_mode=mode))


def fuzz(
    scene: Scene, schema: Any, route: str, heads: list[dict[str, str]],
    there: dict[str, str] | None = None, count: int = EXAMPLES,
) -> Iterable[Any]:  # fmt: skip
    """The answers to `count` requests, each held against the document of `schema`."""
    answers: list[Any] = []

    @examples(count)
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = drawn(data, schema, route)
        if there is not None and data.draw(st.booleans()):
            case.path_parameters = case.path_parameters | there
            case.body = GOOD.get(route, case.body)
            if isinstance(case.body, dict):
                case.body.pop("user_id", None)  # somebody else's: a 404 all the same
        answer = sent(scene, case, data.draw(st.sampled_from(heads)))
        answers.append(answer)
        case.validate_response(answer, checks=CHECKS)

    ask()
    return answers


def sent(scene: Scene, case: schemathesis.Case, head: dict[str, str]) -> Any:
    """The answer. A database that is late on a busy machine is asked again, a broken one fails."""
    for _ in range(3):
        scene.session.cookies.clear()
        answer = case.call(
            base_url=scene.url, session=scene.session, headers=head, timeout=DEADLINE,
            allow_redirects=False,
        )  # fmt: skip
        if answer.status_code != 503:
            break
    return answer


@pytest.mark.parametrize("route", routes())
def test_whatever_a_known_caller_sends_the_answer_is_of_the_document(
    scene: Scene, route: str
) -> None:
    there = scene.seed(route.split(" ")[1])
    if route.endswith("/undo"):
        GOOD[route] = {"id": scene.version()}
    heads = [scene.sign_in(way) for way in WAYS]
    statuses = {answer.status_code for answer in fuzz(scene, KNOWN, route, heads, there)}
    if min(statuses) >= 300:  # as chance has it: with more of them one must get through the door
        more = fuzz(scene, KNOWN, route, heads, there, count=100)
        assert min(answer.status_code for answer in more) < 300
    assert 429 not in statuses
    if route not in MAY_FORGET:
        assert 401 not in statuses


@pytest.mark.parametrize("route", routes())
def test_a_stranger_gets_no_further_than_the_door(scene: Scene, route: str) -> None:
    method, path = route.split(" ")
    signed = "security" in DOCUMENT["paths"][path][method.lower()]
    for answer in fuzz(scene, STRANGE, route, [{}]):
        # No route takes a line break, so that nobody stands at a door.
        if signed and "%0A" not in answer.request.url:
            assert answer.status_code == 401, answer.text


class Teapot(GrowqrError):
    """Nobody's status."""

    status = 418


@pytest.mark.parametrize(
    ("planted", "found"),
    [(RuntimeError("planted"), "Server error"), (Teapot(), "Undocumented status code")],
)
def test_a_planted_answer_is_found(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, planted: Exception, found: str
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise planted

    monkeypatch.setattr(scene.store.threads, "list", broken)
    with pytest.raises(FailureGroup, match=found):
        fuzz(scene, KNOWN, "GET /api/v1/threads", [scene.sign_in("token")])


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"application/json": {"schema": {"required": ["tea"]}}}, "violates schema"),
        ({"text/plain": {"schema": {"type": "string"}}}, "Undocumented Content-Type"),
    ],
)
def test_a_planted_promise_is_found_broken(scene: Scene, planted: Any, found: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/api/v1/users/me"]["get"]["responses"]["200"]["content"] = planted
    schema = schema_of(document, credentials=False)
    with pytest.raises(FailureGroup, match=found):
        fuzz(scene, schema, "GET /api/v1/users/me", [scene.sign_in("token")], count=3)


@pytest.mark.parametrize("route", routes(streams=True))
def test_a_stream_begins_with_a_status_of_the_document(scene: Scene, route: str) -> None:
    path = route.split(" ")[1]
    there = scene.seed(path)
    nowhere = dict.fromkeys(there, "thr_" + "0" * 32)
    heads = [scene.sign_in(way) for way in WAYS] + [{}, {"Cookie": "growqr_session=none"}]
    documented = DOCUMENT["paths"][path]["get"]["responses"]
    with httpx.Client(base_url=scene.url, timeout=DEADLINE) as client:
        for head, where, last in itertools.product(
            heads, (there, nowhere), (None, "0", "-1", "x", "9" * 30, "\u00fc")
        ):
            extra = {} if last is None else {"Last-Event-ID": last.encode()}
            with client.stream("GET", path.format(**where), headers=head | extra) as answer:
                known = {"Authorization", "Origin"} & set(head)
                assert str(answer.status_code) in documented
                assert (answer.status_code == 401) == (not known)
                assert (answer.status_code == 200) <= (where is there)
                content = answer.headers["content-type"].partition(";")[0]
                assert content in documented[str(answer.status_code)]["content"]
