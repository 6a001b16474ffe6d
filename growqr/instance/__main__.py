"""The daemon's process: `growqr up` starts it with the snapshot in the environment."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from growqr import logs
from growqr.config import load
from growqr.instance.daemon import Daemon


def main() -> int:
    """Supervise the instance of GROWQR_SETTINGS. `--lock-fd` is held open to the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--postgres", type=Path, help="folder of PostgreSQL's programs")
    chosen = parser.parse_args()
    settings = load()
    logs.guard(logs.secrets_of(settings))
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    return Daemon(settings, chosen.postgres).run()


if __name__ == "__main__":
    sys.exit(main())
