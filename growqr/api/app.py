"""The ingress as one ASGI application. Every route is canonical, and at the root and /api too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from growqr import __version__
from growqr.api import mcp, operations
from growqr.api.context import Context
from growqr.api.contract import allowed, document
from growqr.api.envelope import Envelope
from growqr.api.idempotency import PREFIX
from growqr.api.origins import cross_origin
from growqr.api.pages import pages
from growqr.api.problems import install
from growqr.api.routes import routers
from growqr.api.stream import Hub
from growqr.config import Settings
from growqr.directory import Directory
from growqr.identity import KeyRing, OAuth, check_profile, clerk_url, open_providers, open_verifier
from growqr.store import Limits, Store


def make_app(
    settings: Settings,
    store: Store,
    directory: Directory,
    *,
    around: AbstractAsyncContextManager[Any] | None = None,
    hub: Hub | None = None,
    behind_ingress: bool = False,
) -> FastAPI:
    """The application over a store and a way to agents.

    `around` is entered before the first request and left after the last one, for whoever does
    not open the store itself. `behind_ingress`: HAProxy's word for a caller's address is believed.
    Raises InstanceError naming a setting that cannot be used.
    """
    hub = hub or Hub(store, most=Limits(settings.limit_streams, settings.limit_key_streams))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with around or nullcontext(), hub.running():
            yield

    app = FastAPI(
        title="growqr",
        version=__version__,
        description="A private agent for every user. Errors are problems of RFC 9457.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # FastAPI's own come from other people's servers; `pages` has ours
        redoc_url=None,
    )
    app.state.context = context = _context(settings, store, directory, hub)
    context.behind_ingress = behind_ingress
    app.include_router(operations.router)
    app.include_router(mcp.router)
    for router in routers():
        app.include_router(router, prefix=PREFIX)
        app.include_router(router, include_in_schema=False)
        app.include_router(router, prefix="/api", include_in_schema=False)
    app.include_router(pages())
    if settings.frontend_url:
        app.add_middleware(CORSMiddleware, **cross_origin(settings.frontend_url))
    app.add_middleware(
        Envelope, settings=settings, hosts=context.clerk[1:] if context.clerk else ()
    )
    install(app, allowed=partial(allowed, app))
    app.openapi = partial(document, app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


def _context(settings: Settings, store: Store, directory: Directory, hub: Hub) -> Context:
    """What every route is given. Raises InstanceError naming a setting that cannot be used."""
    check_profile(settings)
    key, clerk = settings.clerk_publishable_key, clerk_url(settings)
    return Context(
        settings,
        store,
        directory,
        open_verifier(settings),
        hub,
        OAuth(settings, store, KeyRing(settings), open_providers(settings)),
        (key, clerk) if key and clerk else None,
    )
