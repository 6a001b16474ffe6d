"""Runs every figure, or those that are named: `python -m benchmarks [accept turn …]`.

Prints the table and writes `dist/bench.json`. On a busy machine it gives no ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from pathlib import Path

import aiohttp

from benchmarks import accept, bare, boot, doors, fan_out, jwt, memory, turn, wake
from benchmarks.figures import Figure, quiet, show
from benchmarks.instance import Instance
from benchmarks.setting import Setting
from growqr import __version__
from growqr.store import open_store

PARTS = {
    "accept": accept,
    "doors": doors,
    "turn": turn,
    "fan_out": fan_out,
    "wake": wake,
    "memory": memory,
}


async def measure(instance: Instance, parts: list[str]) -> list[Figure]:
    """The figures of a running instance."""
    bare.connect(instance.data)
    figures: list[Figure] = []
    connector = aiohttp.TCPConnector(limit=0)
    try:
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            open_store(instance.settings, 16) as store,
        ):
            setting = Setting(instance, http, store)
            for part in parts:
                print(f"{part} …", flush=True)
                figures += await PARTS[part].run(setting)
    finally:
        bare.leave()
    return figures


def main() -> None:
    """One run on an instance of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = [*PARTS, "boot", "jwt"]
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(known)}; none: all")
    parser.add_argument("--json", type=Path, default=Path("dist/bench.json"))
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {*known}:
        parser.error(f"there is no figure {', '.join(unknown)}")
    parts = asked.parts or known
    load, ratios = os.getloadavg()[0], quiet()
    print(f"growqr {__version__}: {os.cpu_count()} cores, load {load:.2f} before the start")
    if not ratios:
        print("the machine is busy: no ratios")
    figures: list[Figure] = jwt.run() if "jwt" in parts else []
    if set(parts) != {"jwt"}:
        figures += on_instance(parts)
    show(figures, ratios)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    told = {"load": load, "cores": os.cpu_count(), "figures": [f.told(ratios) for f in figures]}
    asked.json.write_text(json.dumps(told, indent=1) + "\n")
    print(f"→ {asked.json}")


def on_instance(parts: list[str]) -> list[Figure]:
    """The figures of an instance that is started for them and ended."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="gq-bench-") as folder:
        instance = Instance(Path(folder) / "d")
        try:
            if "boot" in parts:
                figures += boot.run(instance)
            else:
                instance.up()
            figures += asyncio.run(measure(instance, [p for p in parts if p in PARTS]))
        finally:
            instance.down()
    return figures


if __name__ == "__main__":
    main()
