"""Project repositories over HTTP, without git itself."""

from __future__ import annotations

import asyncio
import base64

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def repo(client: httpx.AsyncClient) -> str:
    answer = await client.post("/git/repos", json={"name": "shop", "description": "A shop"})
    assert answer.status_code == 201
    return "/git/repos/shop/contents"


async def put(client: httpx.AsyncClient, path: str, content: str, **fields: object) -> dict:
    answer = await client.put(path, json={"content": content, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_repository_is_made_once_and_listed(client: httpx.AsyncClient, repo: str) -> None:
    again = await client.post("/git/repos", json={"name": "shop"})
    assert (again.status_code, again.json()["code"]) == (409, "exists")
    await client.post("/git/repos", json={"name": "a.b_c-1"})
    page = (await client.get("/git/repos", params={"limit": 1})).json()
    assert [row["name"] for row in page["data"]] == ["a.b_c-1"]
    rest = await client.get("/git/repos", params={"cursor": page["next_cursor"]})
    [row] = rest.json()["data"]
    assert row["description"] == "A shop"
    assert row["default_branch"] == "main"
    assert row["clone_url"].startswith("http://growqr/git/u_alice-")
    assert row["clone_url"].endswith("/shop.git")


async def test_the_same_key_makes_one_repository(client: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    first = await client.post("/git/repos", json={"name": "x"}, headers=key)
    again = await client.post("/git/repos", json={"name": "x"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_the_seeds_path_is_the_same(client: httpx.AsyncClient, repo: str) -> None:
    await put(client, f"{repo}/a.txt", "x")
    answer = await client.get("http://growqr/git/repos/shop/contents/a.txt")
    assert answer.json()["content"] == "x"


async def test_files_are_written_read_and_removed(client: httpx.AsyncClient, repo: str) -> None:
    empty = (await client.get(repo)).json()
    assert empty == {"path": "", "type": "dir", "entries": [], "truncated": False, "commit": None}
    first = await put(client, f"{repo}/src/main.py", "print(1)\n", message="Begin")
    file = (await client.get(f"{repo}/src/main.py")).json()
    assert file == first | {
        "type": "file", "size": 9, "content": "print(1)\n", "encoding": "utf-8",
    }  # fmt: skip
    folder = (await client.get(repo)).json()
    assert [(e["path"], e["type"], e["size"]) for e in folder["entries"]] == [("src", "dir", None)]
    folder = (await client.get(f"{repo}/src")).json()
    assert [(e["path"], e["size"]) for e in folder["entries"]] == [("src/main.py", 9)]
    gone = await client.delete(f"{repo}/src/main.py", params={"sha": first["sha"]})
    assert gone.json()["sha"] is None
    assert (await client.get(f"{repo}/src/main.py")).status_code == 404
    assert (await client.delete(f"{repo}/src/main.py")).status_code == 404
    assert (await client.get(repo)).json()["entries"] == []


async def test_bytes_travel_as_base64(client: httpx.AsyncClient, repo: str) -> None:
    raw = bytes(range(256))
    text = base64.b64encode(raw).decode()
    await put(client, f"{repo}/logo.png", text, encoding="base64")
    file = (await client.get(f"{repo}/logo.png")).json()
    assert (file["encoding"], file["content"], file["size"]) == ("base64", text, 256)
    bad = await client.put(f"{repo}/x", json={"content": "§", "encoding": "base64"})
    assert bad.status_code == 422


async def test_a_stale_sha_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, repo: str
) -> None:
    first = await put(client, f"{repo}/a", "1")
    second = await put(client, f"{repo}/a", "2", sha=first["sha"])
    for answer in (
        await client.put(f"{repo}/a", json={"content": "3", "sha": first["sha"]}),
        await client.put(f"{repo}/new", json={"content": "3", "sha": first["sha"]}),
        await client.delete(f"{repo}/a", params={"sha": first["sha"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert (await client.get(f"{repo}/a")).json()["commit"] == second["commit"]
    same = await put(client, f"{repo}/a", "2")
    assert same == second, "an equal file needs no commit"


async def test_folders_and_files_do_not_replace_each_other(
    client: httpx.AsyncClient, repo: str
) -> None:
    await put(client, f"{repo}/a/b", "1")
    for path in ("a", "a/b/c"):
        assert (await client.put(f"{repo}/{path}", json={"content": "x"})).status_code == 409
    assert (await client.get(f"{repo}/a/b")).json()["content"] == "1"


async def test_writers_at_once_lose_nothing(client: httpx.AsyncClient, repo: str) -> None:
    await asyncio.gather(*(put(client, f"{repo}/f{n}", str(n)) for n in range(12)))
    assert len((await client.get(repo)).json()["entries"]) == 12
    commits = (await client.get("/git/repos/shop/commits")).json()["data"]
    assert sorted(c["message"] for c in commits) == sorted(f"Write f{n}" for n in range(12))


async def test_commits_come_in_pages_that_new_ones_do_not_shift(
    client: httpx.AsyncClient, repo: str
) -> None:
    assert (await client.get("/git/repos/shop/commits")).json()["data"] == []
    made = [(await put(client, f"{repo}/a", str(n)))["commit"] for n in range(5)]
    page = (await client.get("/git/repos/shop/commits", params={"limit": 2})).json()
    await put(client, f"{repo}/a", "new")
    seen = page["data"]
    while page["next_cursor"]:
        query = {"limit": 2, "cursor": page["next_cursor"]}
        page = (await client.get("/git/repos/shop/commits", params=query)).json()
        seen += page["data"]
    assert [c["id"] for c in seen] == made[::-1]
    assert seen[0]["author"].startswith("alice-")
    assert seen[0]["message"] == "Write a"
    bad = await client.get("/git/repos/shop/commits", params={"cursor": "bm9uc2Vuc2U"})
    assert bad.status_code == 422


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a..b", "../a", "a/b", "A", "-a", ".git", "a.git", "a.lock", "a.", "x" * 64,
     "a b", "a\n", "ä", "a\x00"],
)  # fmt: skip
async def test_names_that_are_none_are_refused(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post("/git/repos", json={"name": name})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", ".git/config", "a/.git/hooks/x", "a//b", "%2e%2e/a", "a\\b", "-a",
     "a%00b", "a/b.", "x" * 600],
)  # fmt: skip
async def test_paths_that_lead_astray_are_refused(
    client: httpx.AsyncClient, repo: str, path: str
) -> None:
    url = httpx.URL(f"http://growqr/api/v1{repo}/").copy_with(
        raw_path=f"/api/v1{repo}/{path}".encode()
    )
    answer = await client.put(url, json={"content": "x"})
    assert answer.status_code in (404, 422), answer.text
    assert (await client.get(url)).status_code in (404, 422)
    assert (await client.get(repo)).json()["commit"] is None


async def test_another_user_sees_none_of_it(
    client: httpx.AsyncClient, other: httpx.AsyncClient, repo: str
) -> None:
    await put(client, f"{repo}/a", "1")
    assert (await other.get("/git/repos")).json()["data"] == []
    for answer in (
        await other.get(repo),
        await other.get(f"{repo}/a"),
        await other.put(f"{repo}/a", json={"content": "2"}),
        await other.delete(f"{repo}/a"),
        await other.get("/git/repos/shop/commits"),
    ):
        assert answer.status_code == 404
    assert (await client.get(f"{repo}/a")).json()["content"] == "1"
    assert (await other.post("/git/repos", json={"name": "shop"})).status_code == 201
    assert (await other.get("/git/repos/shop/contents")).json()["entries"] == []
