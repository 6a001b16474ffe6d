"""What the fake model servers share: a threaded server on loopback, and one exchange with it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

from tests.fakes.failures import breaks, spoil


class ModelServer:
    """`with` it serves on a free loopback port. `failures` holds orders for the next requests."""

    def __init__(self, exchange: type[ModelExchange], port: int) -> None:
        self.hung_up = threading.Event()
        self.seen: Counter[str] = Counter()
        self.failures: deque[str] = deque()
        self._server = _Server(("127.0.0.1", port), exchange)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    api: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news here."""


class ModelExchange(BaseHTTPRequestHandler):
    """One connection; a server's own adds `do_POST`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    retry_after: ClassVar[dict[int, str]] = {}
    """Seconds named with an answer of this status."""

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def received(self) -> tuple[bytes, dict[str, str]]:
        """The body, and the headers with names in lower case."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        return raw, {name.lower(): value for name, value in self.headers.items()}

    def next_failure(self) -> str:
        failures = self.server.api.failures
        return failures.popleft() if failures else "none"

    def due(self, order: str, text: str) -> int:
        """The number of an order, 0 once it was done as often as it says."""
        number, *times = [int(part) for part in text.split()]
        if times:
            self.server.api.seen[f"{order} {text}"] += 1
            if self.server.api.seen[f"{order} {text}"] > times[0]:
                return 0
        return number

    def stream(
        self,
        pieces: Iterable[bytes],
        failure: str,
        *,
        error: bytes,
        pause: float,
        silence: float = 0.0,
        cut: bool = False,
    ) -> None:
        """Send the pieces, spoilt as ordered; `cut`: the connection ends behind them."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        cut = cut or breaks(failure)
        try:
            time.sleep(silence)
            for piece in spoil(failure, list(pieces), error):
                time.sleep(piece if isinstance(piece, float) else pause)
                if isinstance(piece, bytes):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if not cut:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.api.hung_up.set()
        self.close_connection = self.close_connection or cut

    def answer(self, status: int, body: Any) -> None:
        """A document."""
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        if status in self.retry_after:
            self.send_header("retry-after", self.retry_after[status])
        self.end_headers()
        self.wfile.write(sent)
