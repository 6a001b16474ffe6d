"""The pages of this instance: the built web interface, else one small page of ours.

Anybody may load them: they hold nothing, and ask the api like everybody else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

PAGE: Final = Path(__file__).parent / "page"
"""Ours: to sign in and out, and to see where one is signed in. Needs no build step."""

BUILT: Final = Path(__file__).parents[1] / "_web"
"""Where a build of the web interface leaves its files."""

_HASHED = re.compile(r"[.-][\w-]{8,}\.\w+$", re.ASCII)
_LASTING, _ASKED = "public, max-age=31536000, immutable", "no-cache"
_BOTH = ["GET", "HEAD"]


def folder() -> Path:
    """Where the pages are taken from."""
    return BUILT if (BUILT / "index.html").is_file() else PAGE


def pages(source: Path | None = None) -> APIRouter:
    """The routes of the pages in `source`, else of `folder()`.

    `/app/x` is the file `x`, `/assets/x` the file `assets/x`; every other address under `/app` is
    the page itself, whose script knows what it stands for. Never in the way of a route of the api.
    """
    source = source or folder()
    files = StaticFiles(directory=source)
    lasting = source == BUILT  # a build names its assets after what is in them
    router = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404, "there is a page here, for browsers alone")
        answer = await files.get_response("index.html", request.scope)
        return _cached(answer, _ASKED, vary=True)

    async def asset(request: Request, path: str) -> Response:
        answer = await files.get_response(f"assets/{path}", request.scope)
        return _cached(answer, _LASTING if lasting and _HASHED.search(path) else _ASKED)

    async def file_or_page(request: Request, path: str) -> Response:
        if path in ("", "index.html"):
            return await page(request)
        try:
            return _cached(await files.get_response(path, request.scope), _ASKED)
        except HTTPException as missing:
            if missing.status_code != 404:
                raise
            return await page(request)

    for path in ("/", "/app"):
        router.add_api_route(path, page, methods=_BOTH)
    for path in ("/assets/{path:path}", "/app/assets/{path:path}"):
        router.add_api_route(path, asset, methods=_BOTH)
    router.add_api_route("/app/{path:path}", file_or_page, methods=_BOTH)
    return router


def _cached(answer: Response, how: str, *, vary: bool = False) -> Response:
    """Files have an etag: a browser that asks again is told that nothing has changed."""
    answer.headers["cache-control"] = how
    if vary:
        answer.headers["vary"] = "accept"
    return answer
