"""The ingress as a fuzzer meets it: served over a real database from a thread of its own, with
ways to come in, and things that are there to be asked for.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from typing import Any, Literal, TypeVar

import httpx
import psycopg
import requests

from growqr import names
from growqr.api import make_app
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.identity import mint
from growqr.store import OPERATOR, Browser, Store
from tests.fakes.serving import serving
from tests.unit.api.conftest import RecordedDirectory

T = TypeVar("T")

Way = Literal["token", "api key", "cookie"]
WAYS: tuple[Way, ...] = ("token", "api key", "cookie")

GITHUB = {"github_client_id": "fuzz", "github_client_secret": "fuzz"}
"""Nobody is sent there: an account is only unlinked."""

NO_LIMITS = {
    "limit_requests": 0,
    "limit_key_requests": 0,
    "limit_strangers": 0,
    "limit_streams": 2000,
    "limit_sub_agents": 256,
}
"""A 429 would hide what a route answers."""


class Scene:
    """A served instance and its first user, an admin."""

    def __init__(
        self, url: str, settings: Settings, database_url: str, store: Store, do: Any
    ) -> None:
        self.url, self._settings = url, settings
        self._database_url, self.store = database_url, store
        self._do: Callable[[Coroutine[Any, Any, Any]], Any] = do
        self.session = requests.Session()
        self.admin, self.member = "u_admin", "u_member"
        self._token = {"Authorization": f"Bearer {mint(settings, 'admin')}"}
        self._client = httpx.Client(base_url=f"{url}/api/v1", headers=self._token, timeout=20)
        self._post("/users/bootstrap")
        ensured = {"issuer": "growqr:test", "subject": "member", "name": "member"}
        do(store.users.ensure(self.member, **ensured))

    def close(self) -> None:
        self.session.close()
        self._client.close()

    def sign_in(self, way: Way) -> dict[str, str]:
        """Headers of the admin, who comes in by this way."""
        match way:
            case "token":
                return self._token
            case "api key":
                key = self._post("/api-keys", name="fuzz", scopes=["read", "write"])["key"]
                return {"Authorization": f"Bearer {key}"}
            case "cookie":
                answer = httpx.post(
                    f"{self.url}/api/v1/auth/exchange", json={}, headers=self._token
                )
                cookie = answer.cookies["growqr_session"]
                return {"Cookie": f"growqr_session={cookie}", "Origin": self.url}

    def seed(self, path: str) -> dict[str, str]:
        """Good values for the parameters of a path, of things that are there."""
        made = {
            part[1:-1]: self._one(part[1:-1], path) for part in path.split("/") if part[:1] == "{"
        }
        if "/git/repos/{repo}/contents/{path}" in path:
            self._put(f"/git/repos/{made['repo']}/contents/{made['path']}")
        return made

    def _one(self, parameter: str, path: str) -> str:
        store, admin = self.store, self.admin
        match parameter:
            case "user" | "workspace_id":
                return "me"
            case "thread_id":
                return str(self._post("/threads", title="seed")["id"])
            case "message_id" | "turn_id":
                accepted = self._do(store.messages.accept(admin, "hello"))
                return str(getattr(accepted, parameter))
            case "sub_agent_id" | "session_id":
                return str(self._do(store.sub_agents.spawn(admin, "coding", actor="t")).id)
            case "timer_id":
                return str(self._post("/timers", text="seed", seconds=3600)["id"])
            case "key_id":
                return str(self._post("/api-keys", name="seed", scopes=["read"])["id"])
            case "invite_id":
                return str(self._post("/admin/invites")["id"])
            case "sign_in_id":
                browser = Browser(secrets.token_bytes(32), "", 60)
                return str(self._do(store.sign_ins.begin(admin, "token", browser, OPERATOR)))
            case "id":
                return self.version()
            case "provider":
                return self._account()
            case "member_id":
                return self.member
            case "repo":
                return str(self._post("/git/repos", name=f"r{secrets.token_hex(6)}")["name"])
            case "decision_id":
                return self._decision("question" if "questions" in path else "approval")
        return self._file(path)

    def _file(self, path: str) -> str:
        if "/memory/" in path:
            self._put("/memory/seed.md")
        workspace = self._settings.workspace(self.admin)
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / "seed.md").write_text("seed")
        return "seed.md"

    def version(self) -> str:
        """The newest one of the file that `seed` makes."""
        versions = self._client.get("/memory/seed.md/history").raise_for_status().json()
        return str(versions["data"][0]["id"])

    def _account(self) -> str:
        with psycopg.connect(self._database_url, autocommit=True) as conn:
            conn.execute(
                "insert into oauth_account (user_id, provider, subject, login, scopes, tokens)"
                " values (%s, 'github', '1', 'seed', '', '') on conflict do nothing",
                (self.admin,),
            )
        return "github"

    def _decision(self, kind: str) -> str:
        made = names.new_id("dec")
        turn = self._do(self.store.messages.accept(self.admin, "hello")).turn_id
        asked = '{"text": "Shall I?", "name": "a_tool", "input": {}}'
        with psycopg.connect(self._database_url, autocommit=True) as conn:
            conn.execute(
                "insert into decision (id, user_id, thread_id, turn_id, kind, asked, expires_at)"
                " select %s, user_id, thread_id, id, %s, %s::jsonb,"
                " clock_timestamp() + interval '1 hour' from turn where id = %s",
                (made, kind, asked, turn),
            )
        return made

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        return dict(self._client.post(path, json=body).raise_for_status().json())

    def _put(self, path: str) -> None:
        self._client.put(path, json={"content": "seed"}).raise_for_status()


@contextmanager
def served(settings: Settings, database_url: str) -> Iterator[Scene]:
    """The scene over a database whose schema is made, for as long as the block runs."""
    ready: Future[tuple[str, Store, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=asyncio.run, args=(_serve(settings, database_url, ready),))
    thread.start()
    url, store, loop, over = ready.result(30)

    def do(call: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(call, loop).result(20)

    try:
        with closing(Scene(url, settings, database_url, store, do)) as scene:
            yield scene
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)


async def _serve(settings: Settings, database_url: str, ready: Future[Any]) -> None:
    over = asyncio.Event()
    try:
        async with Store(database_url, 8, sub_agents=settings.limit_sub_agents) as store:
            hub = Hub(
                store,
                ping=0.3,
                poll=0.2,
                patience=0.5,
            )
            app = make_app(settings, store, RecordedDirectory(), hub=hub)
            async with serving(app) as url:
                ready.set_result((url, store, asyncio.get_running_loop(), over))
                await over.wait()
                hub.close()
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise
