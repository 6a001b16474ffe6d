"""One JSON line per log record, secrets blanked, on standard error."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def _without_rich() -> Iterator[None]:
    """Structlog loads rich where it finds it, for tracebacks on terminals: 3 MB in every agent."""
    absent = "rich" not in sys.modules
    if absent:
        sys.modules["rich"] = None  # type: ignore[assignment]  # how Python is told: not there
    try:
        yield
    finally:
        if absent:
            del sys.modules["rich"]


with _without_rich():
    import structlog

_SECRET = re.compile(
    r"\bsk-[\w-]{8,}|gqm\.[\w:@.#-]+|gq_\w+|gh[pousr]_\w+|github_pat_\w+|xox[a-z]-[\w-]+|whsec_\w+"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=://)[^/\s@]+(?=@)|(?i:(?<=bearer )[\w.~+/=-]+)"
)


def blank(text: str) -> str:
    """`text` with everything that looks like a key, token or password replaced."""
    return _SECRET.sub("***", text)


def configure(level: str) -> None:
    """Set up logging of this process; called once by whoever owns the process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _blanked,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of one room."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(room=name))


def _blanked(_logger: Any, _method: str, event: Any) -> Any:
    return {key: blank(v) if isinstance(v, str) else v for key, v in event.items()}
