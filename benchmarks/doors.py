"""The door: who is calling, counted and judged, beside the same work without one.

That is a route without a door, `/livez`, and the one question that `/threads` asks the database.
"""

from __future__ import annotations

from benchmarks.figures import Figure, alternate, timed
from benchmarks.setting import Setting
from growqr.identity import mint
from growqr.names import local_user_id

ROUNDS = 400


async def run(setting: Setting) -> list[Figure]:
    """By bearer token and by API key, one client; milliseconds."""
    token = mint(setting.instance.settings, "bench")
    url = setting.instance.record["url"]
    made = {"name": "bench", "scopes": ["read"]}
    head = {"authorization": f"Bearer {token}"}
    async with setting.http.post(f"{url}/api/v1/api-keys", headers=head, json=made) as answer:
        key = (await answer.json())["key"]

    async def read(path: str, **headers: str) -> None:
        async with setting.http.get(url + path, headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()

    async def bare() -> None:
        await read("/livez")
        await setting.store.threads.list(local_user_id("bench"), limit=51)

    figures = []
    for name, shown in (("token", token), ("API key", key)):
        ours, floor = await alternate(
            ROUNDS,
            lambda shown=shown: timed(
                lambda: read("/api/v1/threads", authorization=f"Bearer {shown}")
            ),
            lambda: timed(bare),
        )
        figures.append(Figure(f"request by {name}", "ms", ours, "the same without a door", floor))
    return figures
