"""What the fake Clerk answers, and the script and pages that a real browser plays on loopback.

The page loads `/npm/@clerk/clerk-js@5/dist/clerk.browser.js`, which makes `window.Clerk`.
`Clerk.redirectToSignIn({redirectUrl})` leads to the fake's own page `/sign-in?redirect_url=…`
with one button, "Continue as Ann". It makes a session and returns to the address with
`__clerk_db_jwt=<browser token>`, as Clerk's development instances do. `Clerk.load()` takes that
parameter out of the address into the page's own localStorage; every call then names it in its
query. So no cookie crosses origins, and the calls are simple CORS requests, without a preflight.
The `azp` of a token is the Origin of the request that asked for it. `Clerk.signOut()` ends the
session at the fake and forgets it in the page.
"""

from __future__ import annotations

import html
import json
import secrets
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

SCRIPT = "/npm/@clerk/clerk-js@5/dist/clerk.browser.js"
BROWSER = "__clerk_db_jwt"
ANN = {
    "id": "user_2Ann", "firstName": "Ann", "lastName": "Example", "fullName": "Ann Example",
    "imageUrl": "", "primaryEmailAddress": {"emailAddress": "ann@example.com"},
}  # fmt: skip

CLERK_JS = """
(() => {
  const base = new URL(document.currentScript.src).origin, name = "__clerk_db_jwt";
  const listeners = [];
  const call = async (method, path) => {
    const query = "?" + name + "=" + encodeURIComponent(localStorage.getItem(name) || "");
    const reply = await fetch(base + path + query, { method });
    if (!reply.ok) throw new Error("Clerk answered " + reply.status);
    return reply.json();
  };
  const tell = () => listeners.forEach((listener) => listener(Clerk));
  const Clerk = {
    loaded: false, user: null, session: null,
    get isSignedIn() { return Clerk.session !== null; },
    async load() {
      const here = new URL(location.href);
      if (here.searchParams.has(name)) {
        localStorage.setItem(name, here.searchParams.get(name));
        here.searchParams.delete(name);
        history.replaceState(history.state, "", here);
      }
      const client = await call("GET", "/v1/client");
      Clerk.user = client.user;
      Clerk.session = client.session && {
        id: client.session.id, status: "active", user: client.user,
        async getToken() {
          const path = "/v1/client/sessions/" + client.session.id + "/tokens";
          return (await call("POST", path)).jwt;
        },
      };
      Clerk.loaded = true;
      tell();
    },
    addListener(listener) {
      listeners.push(listener);
      if (Clerk.loaded) listener(Clerk);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
    async redirectToSignIn(options = {}) {
      const back = options.redirectUrl || options.signInForceRedirectUrl || location.href;
      const absolute = new URL(back, location.href).href;
      location.href = base + "/sign-in?redirect_url=" + encodeURIComponent(absolute);
    },
    openSignIn(options = {}) { Clerk.redirectToSignIn(options); },
    async signOut(options = {}) {
      if (Clerk.session) {
        await call("POST", "/v1/client/sessions/" + Clerk.session.id + "/remove");
      }
      localStorage.removeItem(name);
      Clerk.user = Clerk.session = null;
      tell();
      if (options.redirectUrl) location.href = options.redirectUrl;
    },
  };
  window.Clerk = Clerk;
})();
"""

SIGN_IN = """<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in to the fake</h1>
<form method="post"><input type="hidden" name="redirect_url" value="%s">
<button>Continue as Ann</button></form></html>"""


class ClerkExchange(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        clerk, asked = self.server.clerk, urlsplit(self.path)
        match asked.path:
            case "/.well-known/jwks.json":
                clerk.fetches += 1
                self._keys(clerk)
            case "/.well-known/openid-configuration":
                clerk.discoveries += 1
                keys = f"{clerk.url}/.well-known/jwks.json"
                self._json(200, {"issuer": clerk.issuer, "jwks_uri": keys})
            case "/elsewhere":
                self._json(200, clerk.key_set())
            case "/v1/client":
                session = clerk.sessions.get(self._browser())
                found = {"session": {"id": session}, "user": ANN} if session else None
                self._json(200, found or {"session": None, "user": None})
            case "/sign-in":
                back = parse_qs(asked.query).get("redirect_url", [""])[0]
                page = SIGN_IN % html.escape(back)
                self._send(200, "text/html; charset=utf-8", page.encode())
            case path if path == SCRIPT:
                self._send(200, "text/javascript", CLERK_JS.encode())
            case _:
                self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        clerk, path = self.server.clerk, urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if path == "/sign-in":
            self._signed_in(clerk, parse_qs(body.decode()).get("redirect_url", [""])[0])
            return
        browser = self._browser()
        session = clerk.sessions.get(browser)
        if session and path == f"/v1/client/sessions/{session}/tokens":
            clerk.token_requests += 1
            azp = self.headers.get("origin")
            self._json(200, {"jwt": clerk.token(ANN["id"], sid=session, azp=azp, **clerk.custom)})
        elif session and path == f"/v1/client/sessions/{session}/remove":
            del clerk.sessions[browser]
            self._json(200, {})
        else:
            self._json(401, {"error": "signed out"})

    def _browser(self) -> str:
        return parse_qs(urlsplit(self.path).query).get(BROWSER, [""])[0]

    def _signed_in(self, clerk: Any, back: str) -> None:
        parts = urlsplit(back)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost"):
            self._json(422, {"error": "redirect_url must be on loopback"})
            return
        browser = f"dvb_{secrets.token_hex(12)}"
        clerk.sessions[browser] = f"sess_{secrets.token_hex(12)}"
        query = "&".join(filter(None, (parts.query, urlencode({BROWSER: browser}))))
        self._send(303, "text/plain", b"", location=urlunsplit(parts._replace(query=query)))

    def _keys(self, clerk: Any) -> None:
        """The JWKS, or what `clerk.answers` makes of it."""
        keys = clerk.key_set()
        match clerk.answers:
            case "down":
                self.close_connection = True
            case "redirect":
                self._send(302, "text/plain", b"", location=f"{clerk.url}/elsewhere")
            case "html":
                self._send(200, "text/html", b"<!doctype html><title>Sorry</title>")
            case "error":
                self._json(200, {"error": "not found"})
            case "failing":
                self._json(500, keys)
            case "empty":
                self._json(200, {"keys": []})
            case "large":
                self._json(200, keys | {"padding": "x" * 65 * 1024})
            case "weak":
                self._json(200, clerk.key_set(bits=1024))
            case "ec":
                key = {"kty": "EC", "crv": "P-256", "kid": clerk.kid, "x": "AA", "y": "AA"}
                self._json(200, {"keys": [key]})
            case answers:
                if answers == "slow":
                    clerk.release.wait(30)
                self._json(200, keys)

    def _json(self, status: int, content: Any) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        if origin := self.headers.get("origin"):
            headers |= {"access-control-allow-origin": origin, "vary": "Origin"}
        for name, value in {"content-type": kind, **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
