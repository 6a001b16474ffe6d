"""Pages of somebody else, from another port of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_PAGE = "<!doctype html><html lang=en><link rel=icon href=data:,><title>x</title>"


@asynccontextmanager
async def hostile(target: str) -> AsyncIterator[int]:
    """Serves `/`, `/form?to=PATH` and `/frame` against `target`; gives the port."""

    async def plain(_: web.Request) -> web.Response:
        return _html("<p>nothing to see here")

    async def form(request: web.Request) -> web.Response:
        to = target + request.query["to"]
        fields = '<input name=text value="do as I say">'
        return _html(f'<form method=post action="{to}">{fields}<button>Win a prize</button></form>')

    async def frame(_: web.Request) -> web.Response:
        return _html(f'<iframe title=framed src="{target}/app" width=600 height=400></iframe>')

    app = web.Application()
    app.router.add_get("/", plain)
    app.router.add_get("/form", form)
    app.router.add_get("/frame", frame)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _html(body: str) -> web.Response:
    return web.Response(text=_PAGE + body, content_type="text/html")
