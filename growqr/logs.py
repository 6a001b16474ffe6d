"""What a process of ours writes to its log: one record a line, without secrets.

Records of structlog are JSON. Those of `logging`, libraries' included, pass the same filter as they
are made, before any handler sees them. No User-Agent, body or query of a request is logged.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

from growqr.config import secret_values
from growqr.redaction import blank, blanked, know, one_line

if TYPE_CHECKING:
    from growqr.config import Settings

__all__ = ["blank", "configure", "guard", "log", "secrets_of"]


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

LONGEST: Final = 512
"""Bytes of a file of secrets that is one value."""


def configure(level: str, known: Iterable[str] = ()) -> None:
    """Set up logging of this process; called once by whoever owns the process. `known`: secrets."""
    guard(known)
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


def guard(known: Iterable[str] = ()) -> None:
    """Blank secrets in every record of `logging` and in what an uncaught error prints.

    Works whatever handlers there are, or come later; once in a process is enough. `known`: values
    that are blanked wherever they stand, in addition to what looks like a secret.
    """
    know(*known)
    logging.setLogRecordFactory(_Record)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def secrets_of(settings: Settings) -> list[str]:
    """The secrets of this instance that have no form of their own, as far as they are readable."""
    found = [*secret_values(settings).values()]
    for url in found[:]:
        if password := urlsplit(url).password if "://" in url else None:
            found += [password, unquote(password)]
    for file in settings.secrets.glob("*"):
        with suppress(OSError, ValueError):
            if file.stat().st_size < LONGEST:  # the issuer's key has a form
                found.append(file.read_text().strip())
    return found


def log(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of one room."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(room=name))


class _Record(logging.LogRecord):
    """A record whose message is one line, and whose traceback is indented, both without secrets.

    The traceback is written out here: formatters take what is in `exc_text` as it is.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        said, told = self._told()
        if said != told:
            given = self.args if isinstance(self.args, tuple) else ()
            self.args = tuple(_argument(value) for value in given)
            if self._told() != (told, told):  # some formatters read the arguments one by one
                self.msg, self.args = told, ()
        if isinstance(self.exc_info, tuple) and self.exc_info[0] is not None:
            self.exc_text = _indented("".join(traceback.format_exception(*self.exc_info)))
        if self.stack_info:
            self.stack_info = _indented(self.stack_info)

    def _told(self) -> tuple[str, str]:
        """The message as it is, and as it may be told."""
        try:
            said = self.getMessage()
        except Exception:  # noqa: BLE001  a mistake of the caller's, which logging will tell of
            return "", one_line(blank(f"{self.msg} {self.args!r}"))
        return said, one_line(blank(said))


def _argument(value: object) -> object:
    return one_line(blank(value)) if isinstance(value, str) else value


def _indented(text: str) -> str:
    """No line of it begins like a record."""
    return "\n".join(f"  {one_line(line)}" for line in blank(text).rstrip().split("\n"))


def _uncaught(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, at)
    else:
        print(_indented("".join(traceback.format_exception(kind, error, at))), file=sys.stderr)


def _uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None and not issubclass(told.exc_type, SystemExit):
        _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _blanked(_logger: Any, _method: str, event: Any) -> Any:
    return {
        key: blanked(value, key) if isinstance(value, str | dict | list | tuple | bytes)
        else value if value is None or isinstance(value, bool | int | float)
        else blank(repr(value))
        for key, value in event.items()
    }  # fmt: skip
