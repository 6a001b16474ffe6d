"""The HTTP ingress: stateless, without Ray. A write is one transaction and a hint; a read never
touches an actor.

    app          make_app: everything put together
    context      what routes are given: settings, store, directory, hub
    auth         the door of every route: bearer token, body, idempotency
    problems     one answer shape for every error (RFC 9457)
    envelope     request id, security headers, deadline, last resort
    feed         newest events of one user
    stream       the hub of a replica, its watchers, the SSE response
    inputs       texts, cursors and bodies as they may come in
    views        answers
    mcp          the memory tools, for services of stacks
    contract     the OpenAPI document; openapi.py prints it
    routes/      one file per noun, found by the door
"""

from growqr.api.app import make_app

__all__ = ["make_app"]
