"""The pages of this instance: the built web interface, else one small page of ours.

Anybody may load them: they hold nothing, and ask the api like everybody else.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from growqr.errors import GrowqrError

PAGE: Final = Path(__file__).parent / "page"
"""Ours: to sign in and out, and to see where one is signed in. Needs no build step."""

BUILT: Final = Path(__file__).parents[1] / "_web"
"""Where a build of the web interface leaves its files."""

_HASHED = re.compile(r"[.-][\w-]{8,}\.\w+$", re.ASCII)
_BOTH = ["GET", "HEAD"]
_TROUBLE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · growqr</title>
<link rel="icon" href="/app/assets/leaf.svg" type="image/svg+xml">
<link rel="stylesheet" href="/app/assets/style.css">
<header class="top"><a class="brand" href="/app"><img src="/app/assets/leaf.svg" alt=""
 width="28" height="28">growqr</a></header>
<main><section class="card"><h1>{title}</h1><p class="lead">{told}.</p>
<div class="ways"><a class="way" href="/app/sign-in">Try again</a></div></section></main>
<footer><p class="faint"><small>{code} · {id}</small></p></footer>
</html>
"""


def folder() -> Path:
    """Where the pages are taken from."""
    return BUILT if (BUILT / "index.html").is_file() else PAGE


def pages() -> APIRouter:
    """The routes of the pages; never in the way of a route of the api.

    `/app/x` is the file `x`, `/assets/x` the file `assets/x`; every other address under `/app` is
    the page itself, whose script knows what it stands for.
    """
    found, router = _Pages(folder()), APIRouter(include_in_schema=False)
    for path in ("/", "/app"):
        router.add_api_route(path, found.page, methods=_BOTH)
    router.add_api_route("/docs", found.docs, methods=_BOTH)
    for path in ("/assets/{path:path}", "/app/assets/{path:path}"):
        router.add_api_route(path, found.asset, methods=_BOTH)
    router.add_api_route("/app/{path:path}", found.file_or_page, methods=_BOTH)
    return router


def trouble(title: str, error: GrowqrError, request_id: str) -> HTMLResponse:
    """A page for a browser that was sent here and cannot go on, with the error's status."""
    told = error.message[:1].upper() + error.message[1:]
    code = str(error.detail.get("code", error.code))
    return HTMLResponse(
        _TROUBLE.format(
            title=escape(title), told=escape(told), code=escape(code), id=escape(request_id)
        ),
        error.status,
    )


class _Pages:
    """Files of a folder, and where it has none of that name, ours: `trouble` looks like those."""

    def __init__(self, source: Path) -> None:
        self._files = [StaticFiles(directory=place) for place in dict.fromkeys((source, PAGE))]
        self._lasting = source != PAGE  # a build names its assets after what is in them

    async def page(self, request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404, "there is a page here, for browsers alone")
        answer = await self._file("index.html", request)
        answer.headers["vary"] = "accept"
        return answer

    async def docs(self, request: Request) -> Response:
        """The API, to read and to try."""
        return await self._file("docs.html", request)

    async def asset(self, request: Request, path: str) -> Response:
        answer = await self._file(f"assets/{path}", request)
        if self._lasting and _HASHED.search(path):
            answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer

    async def file_or_page(self, request: Request, path: str) -> Response:
        if path != "index.html":
            with suppress(HTTPException):
                return await self._file(path, request)
        return await self.page(request)

    async def _file(self, path: str, request: Request) -> Response:
        """It has an etag: a browser that asks again is told that nothing has changed."""
        for files in self._files[:-1]:
            with suppress(HTTPException):
                return _asked(await files.get_response(path, request.scope))
        return _asked(await self._files[-1].get_response(path, request.scope))


def _asked(answer: Response) -> Response:
    answer.headers["cache-control"] = "no-cache"
    return answer
