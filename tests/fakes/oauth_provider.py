"""A GitHub and a Google on loopback, as strict as they are: PKCE, callbacks, codes and tokens.

The same server is both; `settings()` points growqr at it. The page to authorize has buttons for a
real browser; `approve(url)` presses one without. `modes` says by path how it fails.
"""

from __future__ import annotations

import gzip
import html
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

GITHUB_PAGE, GOOGLE_PAGE = "/login/oauth/authorize", "/o/oauth2/v2/auth"
GITHUB_TOKEN, GOOGLE_TOKEN = "/login/oauth/access_token", "/token"
Fields = dict[str, str]


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: Fields
    headers: Fields
    body: Fields


@dataclass
class Grant:
    """What a person has allowed, from its code to its newest tokens."""

    google: bool
    scope: str
    redirect_uri: str
    challenge: str
    offline: bool
    dead: bool = False


@dataclass
class Person:
    """Who is signed in at the provider, in the browser that comes."""

    id: int = 4711
    login: str = "ann"
    name: str | None = "Ann Example"
    email: str = "ann@example.org"
    verified: bool = True
    others: list[dict[str, Any]] = field(default_factory=list)
    """Further addresses of `/user/emails`, before the primary one."""


@dataclass
class OAuthProvider:
    """`with` it serves. `token_seconds`: life of access tokens, None: GitHub's do not expire.

    `modes`: path, or `*` → "down", "cut", "slow SECONDS", "html", "list", "wrong", "huge",
    "packed", "nested", "redirect", "forbidden"; what is "huge", "packed", sent in a "drip" or
    behind a "redirect" is right, but not wanted so. `misuse`: what no honest client does.
    """

    person: Person = field(default_factory=Person)
    token_seconds: int | None = None
    client_id: str = "client-id"
    client_secret: str = "client-secret-canary"
    modes: dict[str, str] = field(default_factory=dict)
    endpoints: Fields = field(default_factory=dict)
    """Fields of the discovery document that are to be other ones."""
    requests: list[Seen] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    """Paths of the requests whose answers are on their way."""
    misuse: list[str] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    """Every token, so that tests can look where they turn up."""
    ahead: float = 0.0
    """Seconds by which its clock is ahead."""
    codes: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    refreshing: dict[str, Grant] = field(default_factory=dict)
    spent: dict[str, Grant] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.provider = self
        self._lock = threading.Lock()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> dict[str, str]:
        """Fields of the settings that make this server both providers."""
        return {
            "github_client_id": self.client_id, "github_client_secret": self.client_secret,
            "github_url": self.url, "github_api_url": self.url,
            "google_client_id": self.client_id, "google_client_secret": self.client_secret,
            "google_issuer": self.url,
        }  # fmt: skip

    def approve(self, url: str, answer: str = "allow") -> Fields:
        """What the callback is given when the person presses "Authorize", or else "Cancel"."""
        where = urlsplit(f"{url}&auto={answer}")
        wire = HTTPConnection("127.0.0.1", self._server.server_address[1], timeout=10)
        wire.request("GET", f"{where.path}?{where.query}")
        reply = wire.getresponse()
        body, callback = reply.read(), reply.headers["location"]
        wire.close()
        assert reply.status == 302, body
        return dict(parse_qsl(urlsplit(callback).query))

    def of(self, *paths: str) -> list[Seen]:
        """The requests to these paths."""
        return [seen for seen in self.requests if seen.path in paths]

    def leaks(self) -> list[str]:
        """Paths whose address or referrer named a token or the secret."""
        secret = [*self.issued, self.client_secret]
        return [
            seen.path
            for seen in self.requests
            if any(text in f"{seen.query}{seen.headers.get('referer')}" for text in secret)
        ]

    def now(self) -> float:
        return time.time() + self.ahead

    # What the exchange asks, under a lock: a code or refresh token is good for one of two.

    def redirected(self, path: str, query: Fields, *, allowed: bool) -> str | None:
        """Where the browser goes back to; None: the request is not one to be answered."""
        google = path == GOOGLE_PAGE
        for name, fine in {
            "client_id": query.get("client_id") == self.client_id,
            "response_type": query.get("response_type") == "code",
            "method": query.get("code_challenge_method") == "S256",
            "challenge": len(query.get("code_challenge", "")) == 43,
            "state": len(query.get("state", "")) >= 43,
            "callback": query.get("redirect_uri", "").endswith(
                f"/auth/{'google' if google else 'github'}/callback"
            ),
        }.items():
            if not fine:
                self.misuse.append(f"authorize: {name}")
                return None
        back = {"state": query["state"]} | ({"iss": self.url} if google else {})
        if not allowed:
            return query["redirect_uri"] + "?" + urlencode({"error": "access_denied"} | back)
        offline = query.get("access_type") == "offline" and query.get("prompt") == "consent"
        code = secrets.token_hex(10)
        self.codes[code] = Grant(
            google, query.get("scope", ""), query["redirect_uri"], query["code_challenge"], offline
        )
        return query["redirect_uri"] + "?" + urlencode({"code": code} | back)

    def redeemed(self, google: bool, body: Fields) -> dict[str, Any]:
        """The answer to a token request."""
        with self._lock:
            if (body.get("client_id"), body.get("client_secret")) != (
                self.client_id, self.client_secret,
            ):  # fmt: skip
                return {"error": "invalid_client" if google else "incorrect_client_credentials"}
            kind = body.get("grant_type")
            answers: dict[str | None, Callable[[Fields], dict[str, Any] | None]] = {
                "authorization_code": self._by_code, "refresh_token": self._by_refresh,
            }  # fmt: skip
            answer = answers[kind](body) if kind in answers else None
            if answer is not None:
                return answer
            wrong = "bad_refresh_token" if kind == "refresh_token" else "bad_verification_code"
            return {"error": "invalid_grant" if google else wrong,
                    "error_description": f"not good: {body.get('code')}"}  # fmt: skip

    def _by_code(self, body: Fields) -> dict[str, Any] | None:
        grant = self.codes.pop(body.get("code", ""), None)
        if grant is None:
            self.misuse.append("token: no such code, or used before")
            return None
        digest = sha256(body.get("code_verifier", "").encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != grant.challenge:
            self.misuse.append("token: verifier")
            return None
        if body.get("redirect_uri") != grant.redirect_uri:
            self.misuse.append("token: callback")
            return None
        return self._tokens(grant, first=True)

    def _by_refresh(self, body: Fields) -> dict[str, Any] | None:
        shown = body.get("refresh_token", "")
        if shown in self.spent:
            self.misuse.append("token: refresh token used twice")
            self.spent[shown].dead = True
        grant = self.refreshing.get(shown)
        if grant is None or grant.dead:
            return None
        if not grant.google:
            self.spent[shown] = self.refreshing.pop(shown)
            self.access = {t: kept for t, kept in self.access.items() if kept[0] is not grant}
        return self._tokens(grant, first=False)

    def _tokens(self, grant: Grant, *, first: bool) -> dict[str, Any]:
        access = f"{'ya29.' if grant.google else 'gho_'}{secrets.token_hex(16)}"
        lives = self.token_seconds or (3600 if grant.google else None)
        self.access[access] = (grant, self.now() + (lives or 10**9))
        scope = grant.scope if grant.google else grant.scope.replace(" ", ",")
        answer: dict[str, Any] = {"access_token": access, "token_type": "bearer", "scope": scope}
        self.issued.append(access)
        if lives:
            answer["expires_in"] = lives
        if (grant.google and grant.offline and first) or (not grant.google and lives):
            refresh = f"{'1//' if grant.google else 'ghr_'}{secrets.token_hex(16)}"
            self.refreshing[refresh] = grant
            self.issued.append(refresh)
            answer["refresh_token"] = refresh
        return answer

    def grant_of(self, authorization: str) -> Grant | None:
        grant, until = self.access.get(authorization.removeprefix("Bearer "), (None, 0.0))
        return grant if grant and not grant.dead and until > self.now() else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    provider: OAuthProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news here."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        provider = self.server.provider
        where = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, where.path, dict(parse_qsl(where.query)), headers,
                    dict(parse_qsl(raw)))  # fmt: skip
        provider.requests.append(seen)
        mode = provider.modes.get(where.path) or provider.modes.get("*", "")
        self._late = float(mode.split()[1]) if mode.startswith("slow") else 0.0
        self._mode = mode = "" if "turned" in seen.query else mode
        if mode in ("", "huge", "packed", "drip") or self._late:
            self._answer(seen)
        else:
            self._fail(mode)

    def _answer(self, seen: Seen) -> None:
        if seen.method == "POST" and seen.path in (GITHUB_TOKEN, GOOGLE_TOKEN):
            self._token(seen)
        elif seen.path in (GITHUB_PAGE, GOOGLE_PAGE):
            self._page(seen)
        else:
            self._ask(seen)

    def _token(self, seen: Seen) -> None:
        google = seen.path == GOOGLE_TOKEN
        answer = self.server.provider.redeemed(google, seen.body)
        if google or seen.headers.get("accept") == "application/json":
            self._send(400 if google and "error" in answer else 200, json.dumps(answer).encode())
        else:
            self._send(200, urlencode(answer).encode(), kind="application/x-www-form-urlencoded")

    def _page(self, seen: Seen) -> None:
        provider, asked = self.server.provider, seen.query | seen.body
        press = asked.pop("auto", None)
        if press is None:
            return self._send(200, _form(seen.path, asked), kind="text/html")
        back = provider.redirected(seen.path, asked, allowed=press == "allow")
        if back is None:
            return self._send(400, provider.misuse[-1].encode(), kind="text/plain")
        self._send(302, b"", location=back)

    def _ask(self, seen: Seen) -> None:
        provider, person = self.server.provider, self.server.provider.person
        if seen.path == "/.well-known/openid-configuration":
            return self._send(200, json.dumps(_document(provider)).encode())
        grant = provider.grant_of(seen.headers.get("authorization", ""))
        answers: dict[str, Any] = {
            "/user": {"id": person.id, "login": person.login, "name": person.name, "email": None},
            "/user/emails": [
                *person.others,
                {"email": person.email, "primary": True, "verified": person.verified},
            ],
            "/userinfo": {"sub": str(person.id), "name": person.name, "email": person.email,
                          "email_verified": person.verified},
        }  # fmt: skip
        if seen.path not in answers:
            return self._send(404, b"{}")
        if grant is None or grant.google != (seen.path == "/userinfo"):
            return self._send(401, b'{"message": "Bad credentials"}')
        if seen.path == "/user/emails" and "user:email" not in grant.scope:
            return self._send(404, b"{}")
        self._send(200, json.dumps(answers[seen.path]).encode())

    def _fail(self, mode: str) -> None:
        match mode:
            case "cut":
                self.close_connection = True
            case "redirect":
                self._send(307, b"", location=f"{urlsplit(self.path).path}?turned=1")
            case "down" | "forbidden":
                self._send(503 if mode == "down" else 403, b"<html>sorry</html>", kind="text/html")
            case _:
                self._send(200, _RUBBISH[mode])

    def _send(self, status: int, body: bytes, kind: str = "application/json", **more: str) -> None:
        time.sleep(self._late)  # what was asked is done, its answer comes late
        if self._mode == "huge":
            body = b" " * 100_000 + body
        elif self._mode == "packed":
            body, more = gzip.compress(body), {**more, "content-encoding": "gzip"}
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        step, pause = (1, 0.1) if self._mode == "drip" else (len(body) or 1, 0.0)
        for at in range(0, len(body), step):
            self.wfile.write(body[at : at + step])
            time.sleep(pause)
        self.server.provider.answered.append(urlsplit(self.path).path)


_RUBBISH = {
    "html": b"<html>come back later</html>",
    "list": b"[1, 2]",
    "wrong": b'{"access_token": 7, "id": "x", "sub": [], "login": {}, "issuer": 1}',
    "nested": b"[" * 60_000,
}


def _document(provider: OAuthProvider) -> Fields:
    url = provider.url
    return {
        "issuer": url,
        "authorization_endpoint": url + GOOGLE_PAGE,
        "token_endpoint": url + GOOGLE_TOKEN,
        "userinfo_endpoint": f"{url}/userinfo",
    } | provider.endpoints


def _form(path: str, asked: Fields) -> bytes:
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in asked.items()
    )
    buttons = (
        '<button name="auto" value="allow">Authorize</button>'
        '<button name="auto" value="deny">Cancel</button>'
    )
    page = f'<form method="post" action="{path}">{fields}{buttons}</form>'
    return f"<!doctype html><title>Authorize growqr</title>{page}".encode()
