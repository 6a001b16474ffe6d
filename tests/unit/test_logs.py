"""What must not be told is not, by whichever way a record comes; and what may be told stays."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from growqr import logs, redaction
from growqr.config import load
from growqr.redaction import blank, blanked, know, one_line, secret_name, unsaid

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWFsaWNl"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhki\n-----END PRIVATE KEY-----"
LINK = "q" * 43

SECRETS = {
    "anthropic": ("sk-ant-api03-abcdefgh", "sk-ant-api03-abcdefgh"),
    "openai": ("key sk-proj-abcdefghijkl", "sk-proj-abcdefghijkl"),
    "api key": (f"gq_12345678_{'a' * 43}9f", "a" * 43),
    "gateway": ("gqm.grow-agent:u_x.3.abcdefghij", "abcdefghij"),
    "github": (f"ghp_{'A' * 36}", "A" * 36),
    "github fine": ("github_pat_11ABCDEFG0abcdefgh", "11ABCDEFG0abcdefgh"),
    "slack": ("xoxb-123456789-abcdef", "123456789-abcdef"),
    "webhook": ("whsec_MfKQ9r8GKYqrTwjU", "MfKQ9r8GKYqrTwjU"),
    "jwt": (f"token was {JWT}.", "eyJ"),
    "jwt cut short": ("eyJhbGciOiJSUzI1NiJ9.eyJzd", "eyJ"),
    "bearer": ("Authorization Bearer abc-def", "abc-def"),
    "header": ("authorization: Token abc def", "abc def"),
    "basic": ("sent basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "userinfo": ("postgresql://growqr:hunter2@127.0.0.1/x", "hunter2"),
    "session": ("a=b; __Host-growqr_session=abcdef; c=d", "abcdef"),
    "cookie": ("Set-Cookie: sid=xyzzy; Path=/", "xyzzy"),
    "link": (f"https://x/#link={LINK}", LINK),
    "oauth": ("GET /callback?code=4/abc&state=xyz12", "4/abc"),
    "aws": ("AKIAIOSFODNN7EXAMPLE", "AKIA"),
    "google": (f"AIza{'x' * 35}", "x" * 35),
    "google oauth": (f"ya29.{'a0' * 20}", "a0a0"),
    "pem": (f"key:\n{PEM}\nafter", "BgkqhkI".lower()),
    "pem cut short": (PEM[:50], "MIIE"),
    "pem on one line": (PEM.replace("\n", "\\n"), "MIIE"),
    "query": ("GET /x?access_token=abc123&b=2", "abc123"),
    "assignment": ("password=hunter2 host=x", "hunter2"),
    "json": ('{"clientSecret": "two words"}', "two words"),
    "repr": ("{'x-api-key': 'abc123'}", "abc123"),
    "gitlab": (f"glpat-{'b' * 20}", "b" * 20),
    "npm": (f"npm_{'c' * 36}", "c" * 36),
    "userinfo with an at": ("postgres://u:p@ss@h/x", "ss@h"),
    "way of an oauth": ("a=b; growqr_oauth=abcdef; c=d", "abcdef"),
    "invite": (f"https://x/#invite={LINK}", LINK),
    "named": ("password: hunter2hunter2", "hunter2"),
    "named header": ("x-api-key: abcdefghi", "abcdefghi"),
    "bytes": ("{'api_key': b'secretbytes'}", "secretbytes"),
    "json in json": (r"{\"api_key\": \"abc 123\"}", "abc 123"),
}

PLAIN = (
    "A valid bearer token is required",
    "Basic information about bearer authentication",
    "the task-12345678 is risk-free; desk-bound",
    "input_tokens=5 max_tokens=6 token_count=7",
    '{"output_tokens": 12, "tokens": [1, 2]}',
    "no such token: it is over (12 h)",
    "token=None",
    "https://example.org/a?page=2&cursor=abc#part",
    "the password must be changed; secret of success",
    "code=invalid state=ready",
    "password: short or weak",
    "token: at most 200 characters",
    "growqr:abc grow-agent:u_alice#3",
    "the key is missing; set ANTHROPIC_API_KEY",
    "sha256:" + "0123456789abcdef" * 4,
)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_blanked_by_its_form(name: str) -> None:
    text, secret = SECRETS[name]
    assert secret.lower() in text.lower(), "the case is wrong"
    told = blank(f"before {text} after")
    assert secret.lower() not in told.lower()
    assert "before" in told
    assert blank(told) == told


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert blank(text) == text


@pytest.mark.parametrize("name", [
    "password", "api_key", "X-Api-Key", "accessToken", "Authorization", "Set-Cookie",
    "client_secret", "code_verifier", "db_password", "credentials", "private_key", "gitea_token",
])  # fmt: skip
def test_a_field_of_that_name_holds_a_secret(name: str) -> None:
    assert secret_name(name)
    assert blanked({"a": [{name: "short"}]}) == {"a": [{name: "***"}]}
    assert blanked({name: {"deep": "value"}})[name] == {"deep": "value"}


@pytest.mark.parametrize("name", [
    "input_tokens", "token_count", "max_tokens", "tokens", "token_id", "token_type", "key", "kid",
    "public_key", "idempotency_key", "code", "reason", "text", "tool_use_id", "",
])  # fmt: skip
def test_a_field_of_that_name_holds_none(name: str) -> None:
    assert not secret_name(name)
    assert blanked({name: "value"}) == {name: "value"}


def test_numbers_are_no_secrets() -> None:
    assert blanked({"token": 5, "secret": True, "cookie": None}) == {
        "token": 5, "secret": True, "cookie": None,
    }  # fmt: skip


def test_of_an_event_only_its_reasons_are_blanked() -> None:
    said = {"content": "my password=hunter2", "input": {"token": "abc"}, "text": JWT}
    assert unsaid(said) == said
    why = {"error": {"code": "x", "message": f"no {JWT}"}, "reason": "sk-ant-abcdefgh"}
    blank_why = {"error": {"code": "x", "message": "no ***"}, "reason": "***"}
    assert unsaid({**said, **why}) == {**said, **blank_why}


@given(st.text())
def test_blanking_is_done_once_and_lines_stay_one(text: str) -> None:
    assert blank(blank(text)) == blank(text)
    assert not {*"\n\r\x1b\u2028\x85"} & set(one_line(text))


@pytest.mark.parametrize(
    "piece",
    ["gqm.", "eyJ-", "token", "a1", "bearer ", "://a:", "basic Aa", "-----BEGIN PRIVATE KEY",
     "token = ", "cookie:", "link=", "password: ", "://@", "invite="],
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    began = time.perf_counter()
    blank(piece * (100_000 // len(piece)) + " token eyj")
    assert time.perf_counter() - began < 2.0


@pytest.fixture
def guarded() -> Iterator[io.StringIO]:
    """What the root logger writes while the guard is up; everything is as before after it."""
    former = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    known = set(redaction._known)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    logs.guard(["known-to-be-secret"])
    yield written
    root.removeHandler(handler)
    logging.setLogRecordFactory(former[0])
    sys.excepthook, threading.excepthook = former[1:]
    redaction._known.clear()
    redaction._known.update(known)


def test_records_of_any_library_are_blanked(guarded: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    library.warning("asked with %s and %r", "Bearer abc-def", {"password": "hunter2"})
    library.warning("sk-ant-api03-abcdefgh")
    library.warning("it is known-to-be-secret", extra={"more": 1})
    library.warning("%(url)s", {"url": "https://u:hunter2@x"})
    library.warning(RuntimeError(f"as an object {JWT}"))
    library.warning("100 %% of %s", "sk-ant-api03-abcdefgh 5 %s")
    text = guarded.getvalue()
    assert not [s for s in ("abc-def", "hunter2", "sk-ant", "known-to-be", "eyJ") if s in text]
    assert len(text.splitlines()) == 6
    assert "asked with Bearer ***" in text
    assert "100 % of *** 5 %s" in text


def test_a_mistaken_call_tells_no_secret_either(guarded: io.StringIO) -> None:
    logging.getLogger("x").warning("%s and %s", "sk-ant-api03-abcdefgh")
    assert "sk-ant" not in guarded.getvalue()
    assert "%s and %s" in guarded.getvalue()


def test_access_logs_of_uvicorn_keep_their_arguments(guarded: io.StringIO) -> None:
    from uvicorn.logging import AccessFormatter

    [handler] = [h for h in logging.getLogger().handlers if getattr(h, "stream", 0) is guarded]
    handler.setFormatter(AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s"))
    path = "/x?token=abc123"
    logging.getLogger("a.server.access").warning(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", path, "1.1", 200
    )
    assert guarded.getvalue() == "127.0.0.1:5 GET /x?token=*** HTTP/1.1 200 OK\n"


def test_tracebacks_are_blanked_and_cannot_pass_for_records(guarded: io.StringIO) -> None:
    try:
        raise ValueError(f"bad {JWT}\nERROR root all is well\x1b[2J")
    except ValueError:
        logging.getLogger("x").exception("failed")
    lines = guarded.getvalue().splitlines()
    assert lines[0] == "ERROR x failed"
    assert all(line.startswith("  ") for line in lines[1:])
    assert "ValueError: bad ***" in guarded.getvalue()
    assert "\x1b" not in guarded.getvalue()


def test_a_message_is_one_line(guarded: io.StringIO) -> None:
    logging.getLogger("x").warning("a %s", "b\nERROR root forged\x1b[31m\u2028c")
    assert guarded.getvalue() == "WARNING x a b\\nERROR root forged\\x1b[31m\\u2028c\n"


def test_uncaught_errors_are_blanked(
    guarded: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise RuntimeError("postgresql://growqr:hunter2@x")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    sys.excepthook(RuntimeError, RuntimeError("Bearer abc-def"), None)
    told = capsys.readouterr().err
    assert "RuntimeError: postgresql://***@x" in told
    assert "RuntimeError: Bearer ***" in told


def test_records_of_structlog_are_blanked_in_all_their_fields(
    guarded: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO")
    told: dict[str, Any] = {}
    try:
        try:
            raise RuntimeError("sk-ant-api03-abcdefgh")
        except RuntimeError as error:
            logs.log("room").warning("a\nb Bearer abc-def", password="hunter2", input_tokens=5,
                                     deep={"list": [{"token": "abc"}]}, error=error,
                                     exc_info=True)  # fmt: skip
        written = capsys.readouterr().err
        told = json.loads(written)
    finally:
        structlog.reset_defaults()
    assert written.count("\n") == 1
    assert told["event"] == "a\nb Bearer ***"
    assert (told["password"], told["input_tokens"]) == ("***", 5)
    assert told["deep"] == {"list": [{"token": "***"}]}
    assert "sk-ant" not in written


def test_the_secrets_of_an_instance_are_known(tmp_path: Path, guarded: io.StringIO) -> None:
    settings = load(data=tmp_path, database_url="postgresql://me:p%40ssw0rd1@x/db",
                    gitea_token="0123456789abcdef")  # fmt: skip
    settings.secrets.mkdir()
    (settings.secrets / "ray_token").write_text("feedfacefeedface\n")
    know(*logs.secrets_of(settings))
    told = blank("p%40ssw0rd1 p@ssw0rd1 0123456789abcdef feedfacefeedface")
    assert told == "*** *** *** ***"
