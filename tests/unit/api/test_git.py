"""The real git over a socket: clone, push, and whom the door turns away."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from growqr.config import Settings
from growqr.identity import mint, stack_token
from growqr.repos import exchange
from growqr.store import Store, User
from tests.unit.api.conftest import until

pytestmark = pytest.mark.anyio

SECRET = bytes(range(32))


@pytest.fixture
async def server(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    """host:port of the app behind a real socket."""
    settings.secrets.mkdir(exist_ok=True)
    (settings.secrets / "instance.key").write_text(SECRET.hex())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        running = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
        running.capture_signals = suppress  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(running.serve(sockets=[listener]))
        await until(lambda: running.started)
        yield "{}:{}".format(*listener.getsockname())
        running.should_exit = True
        await serving


async def git(folder: Path, *words: str, ok: bool = True) -> str:
    """Run git without anybody's configuration; returns what it said."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip
    done = await asyncio.to_thread(
        subprocess.run, ["git", *words], cwd=folder, env=environment, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
async def token(settings: Settings, alice: User, server: str) -> str:
    return mint(settings, alice.subject)


@pytest.fixture
async def url(client: httpx.AsyncClient, alice: User, server: str, token: str) -> str:
    """Clone address of a new repository of Alice, her token inside."""
    assert (await client.post("/git/repos", json={"name": "shop"})).status_code == 201
    return f"http://x:{token}@{server}/git/{alice.id}/shop.git"


async def commit(folder: Path, name: str, content: bytes, *, branch: str = "main") -> None:
    (folder / name).write_bytes(content)
    await git(folder, "checkout", "-q", "-B", branch)
    await git(folder, "add", name)
    await git(folder, "commit", "-qm", f"Add {name}")


async def test_what_is_pushed_is_cloned_and_read(
    client: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    assert "empty repository" in await git(tmp_path, "clone", url, "one")
    one = tmp_path / "one"
    await commit(one, ".gitignore", b"*.o\n")
    await commit(one, "big.bin", os.urandom(3_000_000))
    await git(one, "push", "-q", "origin", "main")
    file = (await client.get("/git/repos/shop/contents/.gitignore")).json()
    assert file["content"] == "*.o\n"
    assert file["commit"] == (await git(one, "rev-parse", "HEAD")).strip()
    large = await client.get("/git/repos/shop/contents/big.bin")
    assert large.status_code == 413
    written = await client.put("/git/repos/shop/contents/from-http.txt", json={"content": "x"})
    await git(one, "pull", "-q", "--ff-only", "origin", "main")
    assert (await git(one, "rev-parse", "HEAD")).strip() == written.json()["commit"]
    await git(tmp_path, "-c", "protocol.version=0", "clone", "-q", url, "two")
    assert (tmp_path / "two" / "big.bin").read_bytes() == (one / "big.bin").read_bytes()
    await git(tmp_path, "clone", "-q", url.replace("/git/", "/api/v1/git/"), "three")
    assert await git(tmp_path / "three", "fsck") is not None


async def test_whatever_git_can_hold_is_shown(
    client: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    await git(tmp_path, "clone", "-q", url, "c")
    folder = tmp_path / "c"
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / os.fsdecode(b"\xff")).write_text("x")
    await git(folder, "add", ".")
    await git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    await git(folder, "commit", "-qm", "Odd things")
    await git(folder, "push", "-q", "origin", "HEAD:main")
    entries = (await client.get("/git/repos/shop/contents")).json()["entries"]
    types = {e["name"]: e["type"] for e in entries}
    assert types == {"link": "symlink", "run.sh": "file", "sub": "submodule", "\ufffd": "file"}
    link = (await client.get("/git/repos/shop/contents/link")).json()
    assert link["content"] == "/etc/passwd", "the link itself, not what it points to"
    assert (await client.get("/git/repos/shop/contents/sub")).status_code == 404
    await client.put("/git/repos/shop/contents/run.sh", json={"content": "#!/bin/sh\nls\n"})
    assert (await client.put("/git/repos/shop/contents/sub/x", json={"content": ""})).is_error
    await git(folder, "fetch", "-q", "origin", "main")
    assert "100755" in await git(folder, "ls-tree", "FETCH_HEAD", "run.sh")


async def test_pushes_at_once_end_in_one_order(
    client: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    await client.put("/git/repos/shop/contents/README.md", json={"content": "# shop"})
    names = [f"w{n}" for n in range(5)]

    async def work(name: str) -> None:
        await git(tmp_path, "clone", "-q", url, name)
        await commit(tmp_path / name, f"{name}.txt", name.encode())
        for _ in range(30):
            await git(tmp_path / name, "pull", "-q", "--rebase", "origin", "main")
            with suppress(AssertionError):
                await git(tmp_path / name, "push", "-q", "origin", "main")
                return
        raise AssertionError(f"{name} never got through")

    await asyncio.gather(*(work(name) for name in names))
    entries = (await client.get("/git/repos/shop/contents")).json()["entries"]
    assert {e["name"] for e in entries} == {"README.md", *(f"{n}.txt" for n in names)}
    assert len((await client.get("/git/repos/shop/commits")).json()["data"]) == 6


async def test_a_service_of_the_present_generation_may_and_a_former_may_not(
    store: Store, alice: User, bob: User, client: httpx.AsyncClient, url: str, server: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    await store.services.want(alice.id, "opencode", "ready")
    await store.services.want(bob.id, "opencode", "ready")
    refs = f"http://{server}/git/{alice.id}/shop.git/info/refs?service=git-receive-pack"

    async def status(user: User, role: str, generation: int, secret: bytes = SECRET) -> int:
        async with httpx.AsyncClient() as plain:
            token = stack_token(secret, user.id, role, generation)
            return (await plain.get(refs, auth=("opencode", token))).status_code

    service = await store.services.get(alice.id, "opencode")
    assert service is not None
    now = service.generation
    assert await status(alice, "opencode", now) == 200
    assert await status(alice, "opencode", now + 1) == 401
    assert await status(alice, "gitea", now) == 401
    assert await status(alice, "opencode", now, bytes(32)) == 401
    assert await status(bob, "opencode", now) == 404
    token = stack_token(SECRET, alice.id, "opencode", now)
    await git(tmp_path, "clone", "-q", f"http://o:{token}@{server}/git/{alice.id}/shop.git", "c")


async def test_strangers_are_turned_away(
    settings: Settings, alice: User, bob: User, url: str, token: str, server: str, tmp_path: Path
) -> None:
    said = await git(tmp_path, "clone", url.replace(token, mint(settings, bob.subject)), ok=False)
    assert "not found" in said
    await git(tmp_path, "clone", url.replace(token, "wrong"), ok=False)
    base = f"http://{server}/git/{alice.id}"
    query = {"service": "git-upload-pack"}
    async with httpx.AsyncClient() as plain:
        for headers in ({}, {"authorization": "Basic §§".encode()}, {"authorization": "Bearer x"}):
            answer = await plain.get(f"{base}/shop.git/info/refs", params=query, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
            posted = await plain.post(
                f"{base}/shop.git/git-receive-pack",
                content=b"0000",
                headers={"content-type": "application/x-git-receive-pack-request", **headers},
            )
            assert posted.status_code == 401
        mine = {"authorization": f"Bearer {token}"}
        good = await plain.get(f"{base}/shop.git/info/refs", params=query, headers=mine)
        assert good.status_code == 200
        for path in ("none.git", "..%2fshop.git", "shop.git.git", ".git", "../secrets.git"):
            answer = await plain.get(f"{base}/{path}/info/refs", params=query, headers=mine)
            assert answer.status_code in (404, 422), path
        dumb = await plain.get(f"{base}/shop.git/info/refs", headers=mine)
        assert dumb.status_code == 400
        for path in ("HEAD", "config", "objects/info/packs"):
            answer = await plain.get(f"{base}/shop.git/{path}", headers=mine)
            assert answer.status_code in (404, 405), path


async def test_bodies_are_bounded_and_gzip_is_checked(
    url: str, token: str, server: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"http://{server}/git/{alice.id}/shop.git/git-receive-pack"
    kind = "application/x-git-receive-pack-request"
    headers = {"authorization": f"Bearer {token}", "content-type": kind}
    packed = headers | {"content-encoding": "gzip"}
    line = f"{'0' * 40} {'1' * 40} refs/heads/x\n"
    endless = f"{len(line) + 4:04x}{line}".encode() * 20_000  # git waits for the end of the list
    monkeypatch.setattr(exchange, "MAX_PUSH", 1_000_000)
    async with httpx.AsyncClient() as plain:

        async def answer(body: bytes, headers: dict[str, str]) -> tuple[int, str]:
            got = await plain.post(where, content=body, headers=headers)
            return got.status_code, got.headers["content-type"]

        problem = "application/problem+json"
        assert await answer(endless, headers) == (413, problem)
        assert await answer(gzip.compress(endless), packed) == (413, problem)
        assert await answer(b"no gzip", packed) == (400, problem)
        assert await answer(gzip.compress(endless[:1000])[:-9], packed) == (400, problem)
        assert await answer(b"0000", headers | {"content-type": "text/plain"}) == (400, problem)
    await until(lambda: not exchange._running)


async def test_a_client_that_leaves_ends_the_program(
    client: httpx.AsyncClient, url: str, token: str, server: str, alice: User
) -> None:
    host, _, port = server.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /git/{alice.id}/shop.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: 100000\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\n\r\n"
    )
    writer.write(head.encode() + b"00")
    await writer.drain()
    await until(lambda: len(exchange._running) == 1)
    writer.close()
    await until(lambda: not exchange._running)
    assert (await client.get("/git/repos/shop/contents")).status_code == 200


async def test_hooks_in_a_repository_do_not_run(
    settings: Settings, alice: User, url: str, tmp_path: Path
) -> None:
    folder = settings.data / "repos" / alice.id / "shop.git"
    hook = folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    hook.chmod(0o755)
    await git(tmp_path, "clone", "-q", url, "c")
    await commit(tmp_path / "c", "a", b"1")
    await git(tmp_path / "c", "push", "-q", "origin", "main")
    assert not (tmp_path / "ran").exists()


async def test_a_push_to_me_hints_the_mirror_of_whoever_pushes(
    app: FastAPI, client: httpx.AsyncClient, server: str, token: str, alice: User, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told: list[str] = []
    monkeypatch.setattr(app.state.context, "changed_in_git", told.append)
    assert (await client.post("/git/repos", json={"name": "shop"})).status_code == 201
    told.clear()
    await git(tmp_path, "clone", "-q", f"http://x:{token}@{server}/git/me/shop.git", "here")
    await commit(tmp_path / "here", "a.txt", b"a")
    await git(tmp_path / "here", "push", "-q", "origin", "main")
    await until(lambda: bool(told))
    assert set(told) == {alice.id}
