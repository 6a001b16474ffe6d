"""A folder that holds just these files: written by us, read-only for services."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_folder(folder: Path, files: Mapping[str, str]) -> bool:
    """Make `folder` hold exactly `files` (path → text); whether anything changed.

    Only processes of ours write there, so no link can lead a path astray.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    changed = False
    for path in there - files.keys():
        (folder / path).unlink()
        changed = True
    for path, text in files.items():
        target = folder / path
        if path in there and target.read_text(encoding="utf-8") == text:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(target)
        changed = True
    for empty in [p for p in folder.iterdir() if p.is_dir() and not any(p.rglob("*.*"))]:
        shutil.rmtree(empty)
    return changed
