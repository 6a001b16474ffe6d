"""The command line: every module of this folder with a `register(app)` adds its commands.

up, down · status · doctor · logs · db, and what talks to a running instance over HTTP.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module

import typer

from growqr.errors import GrowqrError
from growqr.logs import blank, guard

__all__ = ["app", "main"]

app = typer.Typer(
    name="growqr",
    help="A private agent platform for every user, started by one command.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _discover() -> None:
    for found in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        if found.startswith("_"):
            continue
        register = getattr(import_module(f"{__name__}.{found}"), "register", None)
        if register is not None:
            register(app)


def main() -> None:
    """Run the command line; a known failure is one line on stderr and exit code 1."""
    guard()
    try:
        app()
    except GrowqrError as error:
        print(f"growqr: {blank(error.message)}", file=sys.stderr)
        sys.exit(1)


_discover()
