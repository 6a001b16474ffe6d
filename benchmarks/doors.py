"""The door: who is calling, counted and judged, beside a route that does the same work without one.

`/readyz` asks the database one thing, and so does `/threads` behind the door.
"""

from __future__ import annotations

from benchmarks.figures import Figure, alternate, timed
from benchmarks.setting import Setting
from growqr.identity import mint

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

    figures = []
    for name, shown in (("token", token), ("API key", key)):
        ours, floor = await alternate(
            ROUNDS,
            lambda shown=shown: timed(
                lambda: read("/api/v1/threads", authorization=f"Bearer {shown}")
            ),
            lambda: timed(lambda: read("/readyz")),
        )
        figures.append(Figure(f"request by {name}", "ms", ours, "the same without a door", floor))
    return figures
