"""How a fake model server fails: one order per request, in turn; then it answers well again.

status CODE [RETRY-AFTER]     answers CODE
reset                         ends the connection without a word
html                          answers 200 with a page
mute SECONDS                  is silent before the first byte
stall N SECONDS               is silent after N events
cut N                         ends the connection after N events
half N                        ends it in the middle of the event after N others
end N                         ends the stream properly, but too early: after N events
overloaded N                  sends an error event after N events
garbage N                     sends what is no JSON after N events
list N                        sends JSON that is no event after N events
"""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler

BREAKS = frozenset({"reset", "cut", "half"})


def before_reply(exchange: BaseHTTPRequestHandler, order: str) -> bool:
    """Fail as ordered before a reply begins; True when that was the whole answer."""
    name, *more = order.split(maxsplit=2)
    if name == "mute":
        time.sleep(float(more[0]))
    elif name == "reset":
        exchange.close_connection = True
        return True
    elif name in ("status", "html"):
        status = int(more[0]) if more else 200
        body = b"<html>come back later</html>" if name == "html" else b'{"error": "as told"}'
        exchange.send_response(status)
        exchange.send_header("content-type", "text/html" if name == "html" else "application/json")
        exchange.send_header("content-length", str(len(body)))
        if len(more) > 1:
            exchange.send_header("retry-after", more[1])
        exchange.end_headers()
        exchange.wfile.write(body)
        return True
    return False


def spoil(order: str, pieces: list[bytes], error: bytes) -> list[bytes | float]:
    """The pieces of a stream as they are sent under this order; a number is a pause."""
    name, *numbers = order.split()
    if name not in ("stall", "cut", "half", "end", "overloaded", "garbage", "list"):
        return list(pieces)
    at = min(int(numbers[0]), len(pieces) - 1)
    begun: list[bytes | float] = [*pieces[:at]]
    match name:
        case "stall":
            return [*begun, float(numbers[1]), *pieces[at:]]
        case "half":
            return [*begun, pieces[at][: len(pieces[at]) // 2]]
        case "overloaded":
            return [*begun, error]
        case "garbage":
            return [*begun, b'data: {"type": "content_block_\n\n', *pieces[at:]]
        case "list":
            return [*begun, b"data: [1, 2]\n\n", *pieces[at:]]
    return begun


def breaks(order: str) -> bool:
    """The connection ends without the stream's end."""
    return order.partition(" ")[0] in BREAKS
