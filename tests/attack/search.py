"""Everything an instance writes, searched for words that must not be there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg

from growqr.instance import folder, services
from growqr.instance.listeners import family
from tests.instances import Instance, processes_of

METRICS = ("metrics", "dashboard_metrics", "autoscaler_metrics", "haproxy_metrics")


class Text(NamedTuple):
    """Something that was written, and where."""

    place: str
    text: str


def kept(instance: Instance) -> dict[str, str]:
    """The secrets in the data folder by their file's name; the issuer's key by a part of it."""
    files = [f for f in instance.settings.secrets.iterdir() if not f.name.startswith(".")]
    return {f.name: _one_line(f.read_text()) for f in files}


def _one_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if len(lines) == 1 else "".join(lines[1:4])


def logs(instance: Instance) -> Iterator[Text]:
    """Our own, Ray's with those of our replicas and actors, and the ingress's."""
    ray = folder.ray_folder(instance.data)
    for root in (instance.data / "logs", ray):
        for file in root.rglob("*"):
            if file.is_file() and not file.is_symlink():
                with suppress(OSError):
                    yield Text(str(file), file.read_text(errors="replace"))


def rows(instance: Instance) -> Iterator[Text]:
    """Every row of every table, as text."""
    url = instance.settings.database_url
    assert url
    with psycopg.connect(url.get_secret_value()) as conn:
        tables = conn.execute(
            "select tablename from pg_tables where schemaname = current_schema()"
        ).fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            for (row,) in conn.execute(f'select t::text from "{table}" t'.encode()):
                yield Text(f"table {table}", row)


def metrics(instance: Instance) -> Iterator[Text]:
    for name in METRICS:
        page = httpx.get(f"http://127.0.0.1:{instance.record['ports'][name]}/metrics")
        assert page.status_code == 200
        yield Text(f"page {name}", page.text)


def repositories(instance: Instance) -> Iterator[Text]:
    """Every object of every repository, also those that no branch leads to."""
    for repository in instance.settings.repositories.glob("*.git"):
        command = ["git", "-C", str(repository), "cat-file", "--batch-all-objects", "--batch"]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        yield Text(str(repository), done.stdout.decode(errors="replace"))


def processes(instance: Instance) -> Iterator[Text]:
    """Titles and environments of the instance, of users' services and of all they started."""
    sandboxed = {record.pid for record in services.records(instance.data) if record.running}
    pids = {process.pid for process in processes_of(instance)} | sandboxed
    for pid in family(pids):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                text = Path(f"/proc/{pid}/{name}").read_bytes()
                yield Text(f"{name} of {pid}", text.decode(errors="replace"))


def found(texts: Iterable[Text], words: dict[str, str]) -> dict[str, set[str]]:
    """Name of a word → the places that hold it. Also broken over lines, or with `\\n` for them."""
    hits: dict[str, set[str]] = {}
    for place, text in texts:
        flat = re.sub(r"\\n|\s", "", text)
        for name, word in words.items():
            if re.sub(r"\s", "", word) in flat:
                hits.setdefault(name, set()).add(place)
    return hits
