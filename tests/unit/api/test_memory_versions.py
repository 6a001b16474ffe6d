"""Versions of a memory file: each can be read with the one before, the newest can be undone, and
a write may ask for the one it was made from."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def write(client: httpx.AsyncClient, path: str, *contents: str) -> list[dict[str, Any]]:
    """The history of the path after these writes, oldest first."""
    for content in contents:
        answer = await client.put(f"/memory/{path}", json={"content": content, "message": content})
        assert answer.status_code == 200
    return await history(client, path)


async def history(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"/memory/{path}/history")).json()["data"]
    return found[::-1]


async def undo(client: httpx.AsyncClient, path: str, id: str, key: str = "") -> httpx.Response:
    head = {"Idempotency-Key": key} if key else {}
    return await client.post(f"/memory/{path}/undo", json={"id": id}, headers=head)


async def test_a_version_has_its_content_and_the_one_before(client: httpx.AsyncClient) -> None:
    one, two = await write(client, "plans/launch.md", "Friday", "Monday")
    first = (await client.get(f"/memory/plans/launch.md/history/{one['id']}")).json()
    second = (await client.get(f"/memory/plans/launch.md/history/{two['id']}")).json()
    assert (first["content"], first["previous"]) == ("Friday", None)
    assert (second["content"], second["previous"]) == ("Monday", "Friday")
    assert {**second, "content": 0, "previous": 0} == {**two, "content": 0, "previous": 0}


async def test_versions_of_others_do_not_exist(
    client: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    [row] = await write(client, "a.md", "x")
    await write(client, "b.md", "x")
    await write(other, "a.md", "y")
    for who, path, id in ((other, "a.md", row["id"]), (client, "b.md", row["id"]),
                          (client, "a.md", "mem_" + "0" * 32)):  # fmt: skip
        assert (await who.get(f"/memory/{path}/history/{id}")).status_code == 404
        assert (await undo(who, path, id)).status_code == 404
    assert (await undo(client, "a.md", "thr_" + "0" * 32)).status_code == 404


async def test_a_folder_may_be_called_history(client: httpx.AsyncClient) -> None:
    await write(client, "a/history/rome.md", "753")
    assert (await client.get("/memory/a/history/rome.md")).json()["content"] == "753"
    [row] = await history(client, "a/history/rome.md")
    answer = await client.get(f"/memory/a/history/rome.md/history/{row['id']}")
    assert answer.json()["content"] == "753"


async def test_undo_goes_back_by_a_new_write(client: httpx.AsyncClient) -> None:
    _, two = await write(client, "a.md", "Friday", "Monday")
    answer = (await undo(client, "a.md", two["id"])).json()
    *_, three = await history(client, "a.md")
    assert answer == {"path": "a.md", "content": "Friday", "version": three["id"],
                      "commit": None, "pending": True}  # fmt: skip
    assert (await client.get("/memory/a.md")).json()["content"] == "Friday"
    assert [row["message"] for row in await history(client, "a.md")] == [
        "Friday", "Monday", "Undo: Monday",
    ]  # fmt: skip


async def test_undo_of_the_first_write_removes_and_of_a_removal_restores(
    client: httpx.AsyncClient,
) -> None:
    [one] = await write(client, "a.md", "x")
    assert (await undo(client, "a.md", one["id"])).json()["content"] is None
    assert (await client.get("/memory/a.md")).status_code == 404
    *_, gone = await history(client, "a.md")
    assert gone["removed"]
    assert (await undo(client, "a.md", gone["id"])).json()["content"] == "x"


async def test_only_the_newest_version_is_undone(client: httpx.AsyncClient) -> None:
    one, _ = await write(client, "a.md", "Friday", "Monday")
    await write(client, "b.md", "later, elsewhere")
    answer = await undo(client, "a.md", one["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert (await client.get("/memory/a.md")).json()["content"] == "Monday"


async def test_the_same_undo_is_done_once(client: httpx.AsyncClient) -> None:
    _, two = await write(client, "a.md", "Friday", "Monday")
    answers = [await undo(client, "a.md", two["id"], "undo-1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(await history(client, "a.md")) == 3
    assert (await undo(client, "a.md", two["id"], "undo-2")).json()["code"] == "stale"


async def test_the_message_of_an_undo_stays_short(client: httpx.AsyncClient) -> None:
    await client.put("/memory/a.md", json={"content": "x", "message": "m" * 200})
    [row] = await history(client, "a.md")
    assert (await undo(client, "a.md", row["id"])).status_code == 200
    assert [len(row["message"]) for row in await history(client, "a.md")] == [200, 200]


async def put(client: httpx.AsyncClient, path: str, content: str, **head: str) -> httpx.Response:
    """`if_match="x"` is sent as `If-Match: x`."""
    names = {name.replace("_", "-"): value for name, value in head.items()}
    return await client.put(f"/memory/{path}", json={"content": content}, headers=names)


async def content(client: httpx.AsyncClient, path: str) -> str:
    return str((await client.get(f"/memory/{path}")).json()["content"])


async def test_a_new_file_replaces_none(client: httpx.AsyncClient) -> None:
    first = await put(client, "a.md", "mine", if_none_match="*")
    assert first.status_code == 200
    again = await put(client, "a.md", "other", if_none_match="*")
    assert (again.status_code, again.json()["code"]) == (412, "precondition_failed")
    assert again.json()["version"] == first.json()["version"]
    assert await content(client, "a.md") == "mine"
    assert (await client.delete("/memory/a.md")).status_code == 200
    assert (await put(client, "a.md", "new", if_none_match="*")).status_code == 200


async def test_a_change_is_of_the_version_that_was_read(client: httpx.AsyncClient) -> None:
    await put(client, "a.md", "one")
    read = (await client.get("/memory/a.md")).json()["version"]
    mine = (await put(client, "a.md", "two", if_match=f'"{read}"')).json()["version"]
    late = await put(client, "a.md", "three", if_match=f'"{read}"')
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert late.json()["version"] == mine
    assert await content(client, "a.md") == "two"
    await client.delete("/memory/a.md")
    gone = await put(client, "a.md", "three", if_match=f'"{mine}"')
    assert (gone.status_code, gone.json()["version"]) == (412, None)
    assert (await client.get("/memory/a.md")).status_code == 404


async def test_of_many_at_once_one_is_the_first(client: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(put(client, "a.md", f"{n}", if_none_match="*") for n in range(8)))
    assert sorted(answer.status_code for answer in made) == [200, *[412] * 7]
    head = f'"{(await client.get("/memory/a.md")).json()["version"]}"'
    written = await asyncio.gather(*(put(client, "a.md", f"x{n}", if_match=head) for n in range(8)))
    assert sorted(answer.status_code for answer in written) == [200, *[412] * 7]
    assert len(await history(client, "a.md")) == 2


async def test_versions_are_of_their_own_file(client: httpx.AsyncClient) -> None:
    other = (await put(client, "b.md", "b")).json()["version"]
    await put(client, "a.md", "a")
    assert (await put(client, "a.md", "x", if_match=f'"{other}"')).status_code == 412
    assert (await put(client, "none.md", "x", if_match=f'"{other}"')).status_code == 412


@pytest.mark.parametrize(
    "head",
    [{"if_none_match": '"x"'}, {"if_match": "*"}, {"if_match": "mem_"}, {"if_match": 'W/"a"'}],
)
async def test_other_conditions_are_refused(
    client: httpx.AsyncClient, head: dict[str, str]
) -> None:
    assert (await put(client, "a.md", "x", **head)).status_code == 422
    assert (await client.get("/memory/a.md")).status_code == 404
