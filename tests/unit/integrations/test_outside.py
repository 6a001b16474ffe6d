"""Requests to addresses users name: never inside, whatever the name, the spelling or the hop."""

from __future__ import annotations

import asyncio
import errno
import gzip
import tracemalloc
from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from growqr.errors import Invalid, TooLarge, Unavailable
from growqr.integrations import LOOPBACK, Outside, Resolver
from tests.unit.integrations.target import BOMB, Names, Silent, Target, listening, to

pytestmark = pytest.mark.anyio

HTTP = ("https", "http")
PUBLIC = "93.184.215.14"
SPELLINGS = ["127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1", "0x7f.1",
             "0177.0.0.1", "017700000001", "[::ffff:7f00:1]", "localhost"]  # fmt: skip
ONLY_REFUSED = ["169.254.169.254", "127.0.0.1.", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
                "[::127.0.0.1]", "①②⑦.0.0.1"]  # fmt: skip


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with listening() as opened:
        yield opened


def dev(resolver: Resolver | None = None, **limits: float) -> Outside:
    """As in development: http, and loopback may be asked."""
    names = resolver or Names(hooks_example=[["127.0.0.1"]])
    bounds = {"deadline": limits.get("deadline", 10.0)}
    most = int(limits.get("max_answer", 5_000_000))
    return Outside(schemes=HTTP, allow=LOOPBACK, resolver=names, max_answer=most, **bounds)


@pytest.mark.parametrize("host", SPELLINGS)
async def test_spellings_of_this_machine_reach_nothing(target: Target, host: str) -> None:
    try:
        _, writer = await asyncio.open_connection(host.strip("[]"), target.port)
    except OSError as error:  # a machine without IPv6
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENETUNREACH):
            raise
    else:
        assert len(await target.visitors()) == 1, "whoever is not guarded does reach it"
        writer.close()
        target.log.clear()
    async with Outside(schemes=HTTP) as outside:
        with pytest.raises(Invalid):
            await outside.ask("GET", f"http://{host}:{target.port}/")
    assert await target.visitors() == []


@pytest.mark.parametrize("host", ONLY_REFUSED)
async def test_other_ways_inside_reach_nothing(target: Target, host: str) -> None:
    async with Outside(schemes=HTTP) as outside:
        with pytest.raises(Invalid):
            await outside.ask("GET", f"http://{host}:{target.port}/")
    assert await target.visitors() == []


@pytest.mark.parametrize("answers", [
    ["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"], ["10.1.2.3"],
    [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], ["2606:4700::1", "fd00::1"], ["fe80::1%2"],
    ["127.1"], ["2130706433"], ["inside.example"],
])  # fmt: skip
async def test_a_name_that_leads_inside_reaches_nothing(target: Target, answers: list[str]) -> None:
    names = Names(hooks_example=[answers])
    async with Outside(schemes=HTTP, resolver=names) as outside:
        with pytest.raises(Invalid) as refused:
            await outside.ask("GET", f"http://hooks.example:{target.port}/")
    assert refused.value.detail == {"reason": "not_public"}
    assert not any(address in refused.value.message for address in answers)
    assert await target.visitors() == []


async def test_a_name_is_resolved_once_and_the_checked_address_is_asked(target: Target) -> None:
    """Rebinding: the first answer is good, every later one leads inside."""
    names = Names(hooks_example=[["127.0.0.2"], ["10.0.0.1"]])
    url = f"http://hooks.example:{target.port}/"
    async with dev(names) as outside:
        with pytest.raises(Unavailable) as refused:  # nobody listens on 127.0.0.2
            await outside.ask("GET", url)
        assert refused.value.detail == {"reason": "connection"}
        assert names.asked == ["hooks.example"]
        with pytest.raises(Invalid):
            await outside.ask("GET", url)
    assert await target.visitors() == []


async def test_every_request_resolves_anew_and_keeps_no_connection(target: Target) -> None:
    names = Names(hooks_example=[["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]])
    url = f"http://hooks.example:{target.port}/"
    async with dev(names) as outside:
        for _ in range(2):
            assert (await outside.ask("GET", url)).body == b"hello"
        with pytest.raises(Invalid):
            await outside.ask("GET", url)
    assert len(await target.visitors()) == 2


async def test_what_is_allowed_is_reached(target: Target) -> None:
    async with dev() as outside:
        url = f"http://hooks.example:{target.port}/path?q=1"
        got = await outside.ask("POST", url, headers={"X-Key": "v"}, body=b"body")
        await outside.ask("GET", url)
        literal = await outside.ask("GET", f"http://127.0.0.1:{target.port}/")
    assert (got.status, got.body, got.headers["SET-cookie"]) == (200, b"hello", "a=b")
    assert literal.body == b"hello"
    first, second, _ = target.requests
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /path?q=1 HTTP/1.1\r\n")
    assert f"\r\nHost: hooks.example:{target.port}\r\n".encode() in head
    assert b"\r\nX-Key: v\r\n" in head
    assert b"\r\nUser-Agent: growqr\r\n" in head
    assert body == b"body"
    assert b"ookie" not in second, "cookies of one request are not sent with the next"


async def test_proxies_of_the_environment_are_not_asked(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with dev() as outside:
            await outside.ask("GET", f"http://hooks.example:{target.port}/")
        assert proxy.log == []
    assert len(await target.visitors()) == 1


async def test_a_redirect_is_an_answer_unless_it_is_to_be_followed(target: Target) -> None:
    base = f"http://hooks.example:{target.port}"
    async with dev() as outside:
        answer = await outside.ask("GET", f"{base}/times/5")
        assert (answer.status, answer.headers["Location"]) == (302, "/times/4")
        sent = await outside.ask("POST", f"{base}/times/5", body=b"x", follow=9)
        assert sent.status == 302, "what changes something is not sent on"
        assert len(await target.visitors()) == 2
        assert (await outside.ask("GET", f"{base}/times/5", follow=6)).body == b"hello"
        assert len(await target.visitors()) == 2 + 7
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", f"{base}/times/5", follow=3)
        assert refused.value.detail == {"reason": "redirects"}
        assert len(await target.visitors()) == 2 + 7 + 4


@pytest.mark.parametrize("place", [
    "http://127.0.0.1:{port}/", "http://2130706433:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://inside.example:{port}/", "//inside.example:{port}/", "http://0.0.0.0:{port}/",
    "http://u:p@hooks.example:{port}/", "file:///etc/passwd", "gopher://hooks.example/",
    "http://169.254.169.254/latest/", "https://localhost:{port}/",
])  # fmt: skip
async def test_no_redirect_leads_inside(target: Target, place: str) -> None:
    """The first hop is at the one address that may be asked; the target is at another."""
    names = Names(hooks_example=[["127.0.0.3"]], inside_example=[["127.0.0.1"]])
    allow = {ip_network("127.0.0.3/32")}
    async with (
        listening(address="127.0.0.3") as outer,
        Outside(schemes=HTTP, resolver=names, allow=allow) as outside,
    ):
        url = f"http://hooks.example:{outer.port}/{to(place.format(port=target.port))}"
        with pytest.raises(Invalid) as refused:
            await outside.ask("GET", url, follow=5)
        assert len(outer.log) == 1
    assert refused.value.detail["reason"] in ("not_public", "spelling", "userinfo", "scheme")
    assert await target.visitors() == []


async def test_another_origin_does_not_get_the_headers(target: Target) -> None:
    key = {"Authorization": "Bearer secret"}
    names = Names(hooks_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    async with dev(names) as outside, listening() as other:
        base = f"http://hooks.example:{target.port}"
        there = to(f"http://other.example:{other.port}/")
        assert (await outside.ask("GET", f"{base}/{there}", headers=key, follow=1)).status == 200
        await outside.ask("GET", f"{base}/times/1", headers=key, follow=2)
    assert [b"Bearer secret" in one for one in target.requests] == [True] * 4
    assert [b"Bearer secret" in one for one in other.requests] == [False]


@pytest.mark.parametrize("path", ["slow", "endless"])
async def test_nothing_takes_longer_than_the_deadline(target: Target, path: str) -> None:
    loop = asyncio.get_running_loop()
    async with dev(deadline=0.3, max_answer=10**12) as outside:
        began = loop.time()
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", f"http://hooks.example:{target.port}/{path}")
        assert 0.2 < loop.time() - began < 5
    assert refused.value.detail == {"reason": "deadline"}


async def test_a_name_server_that_is_silent_counts_within_the_deadline(target: Target) -> None:
    async with dev(Silent(), deadline=0.2) as outside:
        for asking in (outside.ask("GET", "http://hooks.example/"),
                       outside.resolve("http://hooks.example/")):  # fmt: skip
            with pytest.raises(Unavailable) as refused:
                await asking
            assert refused.value.detail == {"reason": "deadline"}


@pytest.mark.parametrize("path", ["endless", "bomb"])
async def test_large_answers_are_cut(target: Target, path: str) -> None:
    assert len(BOMB) < 100_000
    async with dev(max_answer=100_000) as outside:
        with pytest.raises(TooLarge):
            await outside.ask("GET", f"http://hooks.example:{target.port}/{path}")


async def test_a_bomb_does_not_go_off_in_memory(target: Target) -> None:
    async with dev(max_answer=100_000) as outside:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                await outside.ask("GET", f"http://hooks.example:{target.port}/bomb")
            assert tracemalloc.get_traced_memory()[1] < 3_000_000, "it would be 20 MB"
        finally:
            tracemalloc.stop()


async def test_the_limit_itself_is_no_more_than_the_limit(target: Target) -> None:
    url = f"http://hooks.example:{target.port}"
    async with dev(max_answer=5) as outside:
        assert (await outside.ask("GET", f"{url}/")).body == b"hello"
    packed = len(gzip.compress(b"hello"))
    async with dev(max_answer=packed) as outside:
        assert (await outside.ask("GET", f"{url}/packed")).body == b"hello"
    for path, most in (("", 4), ("packed", packed - 1)):
        async with dev(max_answer=most) as outside:
            with pytest.raises(TooLarge):
                await outside.ask("GET", f"{url}/{path}")


@pytest.mark.parametrize(("path", "reason"), [
    ("torn", "garbled"), ("brotli", "encoding"), ("garbage", "garbled"), ("cut", "cut"),
])  # fmt: skip
async def test_broken_answers_are_named(target: Target, path: str, reason: str) -> None:
    async with dev() as outside:
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", f"http://hooks.example:{target.port}/{path}")
    assert refused.value.detail == {"reason": reason}


async def test_a_name_without_address_and_a_closed_port_are_named(target: Target) -> None:
    async with dev() as outside:
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", "http://nowhere.example/t0ken?key=t0ken")
        assert refused.value.detail == {"reason": "dns"}
        assert "t0ken" not in refused.value.message
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", "http://hooks.example:1/")
        assert refused.value.detail == {"reason": "connection"}


async def test_the_resolver_of_the_machine_is_the_usual_one(target: Target) -> None:
    url = f"http://localhost:{target.port}/"
    async with Outside(schemes=HTTP, allow=LOOPBACK) as outside:
        assert "127.0.0.1" in await outside.resolve(url)
        assert (await outside.ask("GET", url)).body == b"hello"


@pytest.mark.parametrize("headers", [
    {"Host": "inside"}, {"hOST": "x"}, {"Content-Length": "1"}, {"Transfer-Encoding": "chunked"},
    {"Connection": "keep-alive"}, {"Cookie": "a=b"}, {"X": "a\r\nY: b"}, {"X\r\nY": "b"},
    {"": "x"}, {"X": "\x00"}, {"X": "ä"}, {"X": "a" * 9000}, {"User-Agent": "x"},
])  # fmt: skip
async def test_headers_that_break_out_are_refused(target: Target, headers: dict[str, str]) -> None:
    async with dev() as outside:
        with pytest.raises(Invalid):
            await outside.ask("GET", f"http://hooks.example:{target.port}/", headers=headers)
        with pytest.raises(Invalid):
            await outside.ask("CONNECT", f"http://hooks.example:{target.port}/")
    assert await target.visitors() == []
