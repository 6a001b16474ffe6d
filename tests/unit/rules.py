"""The shape of the code as rules: which room may import which, what is banned where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

LAYERS = (
    {
        "directory",
        "errors",
        "names",
        "events",
        "states",
        "config",
        "failpoints",
        "logs",
        "redaction",
    },
    {"store", "instance"},
    {"stacks", "models", "opencode", "identity", "integrations"},
    {"memory", "coding"},
    {"tools", "automation", "repos"},
    {"agents"},
    {"actors", "api"},
    {"cli", "deployments"},
)
"""From the lowest. A room imports itself and lower lines only; the lowest line also itself."""

RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

# repos starts git itself: its protocol for clones and pushes is in no library.
HOMES = {
    "ray": {"actors", "cli", "instance", "deployments"},
    "psycopg": {"store"},
    "psycopg_pool": {"store"},
    "anthropic": {"models"},
    "openai": {"models"},
    "docker": {"stacks"},
    "authlib": {"identity"},
    "fastapi": {"api", "deployments"},
    "pygit2": {"memory", "repos"},
    "subprocess": {"stacks", "coding", "memory", "repos", "instance", "cli"},
    "jose": {"identity.jwt"},
    "os.environ": {"config"},
}
"""Library or attribute → the rooms, or the one module, that may use it."""

LAZY = {"anthropic", "authlib", "docker", "openai", "pygit2"}
"""Imported inside functions only: agents must stay lean."""

MAX_LINES = 400
WORDS = {"manager", "helper", "util", "utils", "handler", "processor", "info"}
EXEMPT = {"get_route_handler", "default_data"}
"""A name that FastAPI wants as it is; the default of the setting `data`."""

_ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}
_SPAWN = {"create_subprocess_exec", "create_subprocess_shell"}


def offences(module: str, source: str) -> list[str]:
    """What `source` does, as `growqr.…` or `deployments.…`, that the rules forbid."""
    tree = ast.parse(source)
    place = module.removeprefix("growqr.")
    room = place.split(".")[0]
    found = [*_imports(place, room, tree), *_names(place, tree)]
    if (lines := source.count("\n")) > MAX_LINES:
        found.append(f"{module} has {lines} lines, {MAX_LINES} are allowed")
    return found


def _imports(place: str, room: str, tree: ast.Module) -> Iterator[str]:
    top = {id(node) for node in _top_level(tree)}
    for node in ast.walk(tree):
        for used in _used(node):
            first = used.split(".")[0]
            if first == "growqr" or first == "deployments":
                yield from _direction(place, room, used)
            elif used in HOMES or first in HOMES:
                library = used if used in HOMES else first
                if not HOMES[library] & {room, place}:
                    yield f"{place} uses {library}, which belongs to {sorted(HOMES[library])}"
                if library in LAZY and id(node) in top:
                    yield f"{place} imports {library} at its top; import it where it is used"


def _direction(place: str, room: str, used: str) -> Iterator[str]:
    other = used.removeprefix("growqr.").split(".")[0]
    if used == "growqr" or other == room or other.startswith("__"):
        return
    if other not in RANK or room not in RANK:
        yield f"{place} imports {used}: no line of the table has {other!r} and {room!r}"
    elif RANK[other] > RANK[room] or (RANK[other] == RANK[room] and RANK[room] > 0):
        yield f"{place} imports {used}, which is not below it"


def _used(node: ast.AST) -> list[str]:
    """Modules, and attributes that count like modules, that this node uses."""
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), level=0, names=names):
            if module == "os":
                return ["os.environ" for name in names if name.name in _ENVIRONMENT]
            if module == "growqr":
                return [f"growqr.{name.name}" for name in names]
            return [module]
        case ast.ImportFrom(level=level) if level:
            return ["growqr.<relative import>"]
        case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in _ENVIRONMENT:
            return ["os.environ"]
        case ast.Attribute(value=ast.Name(id="asyncio"), attr=attr) if attr in _SPAWN:
            return ["subprocess"]
    return []


def _top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes that run on import; blocks for type checkers do not."""
    for node in tree.body:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.FunctionDef():
                continue
            case ast.AsyncFunctionDef() | ast.ClassDef():
                continue
            case _:
                yield from ast.walk(node)


def _names(place: str, tree: ast.Module) -> Iterator[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    named = [node.name for node in ast.walk(tree) if isinstance(node, kinds)]
    for name in [*place.split("."), *named]:
        words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
        plain = [word.lower() for word in words]
        if name not in EXEMPT and (WORDS & set(plain) or (plain[1:] and plain[-1] == "data")):
            yield f"{place} names something {name!r}"
