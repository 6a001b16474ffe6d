"""Signatures of webhooks: what a provider signed gets in, one changed bit of it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from starlette.datastructures import Headers

from growqr.errors import Invalid, NotFound, Unauthorized
from growqr.integrations import Delivery, schemes, sign, verify
from growqr.integrations.signatures import REFUSED

NOW = 1_614_265_330
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAIN = "It's a Secret to Everybody"


def hexed(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def by_standard(body: bytes, secret: str, time: str = str(NOW)) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, b"msg_1." + time.encode() + b"." + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": time, "webhook-signature": signature}


def by_github(body: bytes, secret: str, time: str = "") -> dict[str, str]:
    return {
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={hexed(secret, body)}",
    }


def by_slack(body: bytes, secret: str, time: str = str(NOW)) -> dict[str, str]:
    signature = hexed(secret, b"v0:" + time.encode() + b":" + body)
    return {"X-Slack-Request-Timestamp": time, "X-Slack-Signature": f"v0={signature}"}


def by_stripe(body: bytes, secret: str, time: str = str(NOW)) -> dict[str, str]:
    return {"Stripe-Signature": f"t={time},v1={hexed(secret, time.encode() + b'.' + body)}"}


class Provider(NamedTuple):
    name: str
    sign: Callable[..., dict[str, str]]
    secret: str
    delivery: Delivery
    signature: str
    time: str | None = None


PROVIDERS = [
    Provider("standard", by_standard, KEY, Delivery("standard", "msg_1", NOW),
             "webhook-signature", "webhook-timestamp"),
    Provider("github", by_github, PLAIN,
             Delivery("github", "72d3162e-cc78-11e3-81ab-4c9367dc0958", None),
             "X-Hub-Signature-256"),
    Provider("slack", by_slack, PLAIN, Delivery("slack", None, NOW),
             "X-Slack-Signature", "X-Slack-Request-Timestamp"),
    Provider("stripe", by_stripe, PLAIN, Delivery("stripe", None, NOW), "Stripe-Signature"),
]  # fmt: skip
EACH = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
TIMED = pytest.mark.parametrize(
    "provider", [one for one in PROVIDERS if one.name != "github"], ids=lambda one: one.name
)


def refused(
    provider: str, headers: Mapping[str, str], body: bytes, secret: str, now: float = NOW
) -> str:
    """The reason in the log; the sender always sees the same."""
    with structlog.testing.capture_logs() as logs, pytest.raises(Unauthorized) as error:
        verify(provider, headers, body, secret, now)
    assert error.value.message == REFUSED
    assert error.value.detail == {}
    assert error.value.__context__ is None
    assert [sorted(log) for log in logs] == [["event", "log_level", "provider", "reason", "room"]]
    assert not secret or secret not in json.dumps(logs)
    reason: str = logs[0]["reason"]
    return reason


def test_every_provider_is_tested() -> None:
    assert sorted(schemes()) == sorted(provider.name for provider in PROVIDERS)
    with pytest.raises(NotFound, match="known: github, slack, standard, stripe"):
        verify("nobody", {}, b"", "secret", NOW)


def test_the_published_example_of_standard_webhooks() -> None:
    body = b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    found = verify("standard", headers, body, KEY, NOW)
    assert found == Delivery("standard", "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW)
    assert sign(found.id or "", NOW, body, KEY) == headers


def test_the_published_example_of_github() -> None:
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": "1"}
    assert verify("github", headers, b"Hello, World!", PLAIN, NOW).id == "1"


def test_the_published_example_of_slack() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
        b"channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
        b"command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
        b"47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": signature}
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    assert verify("slack", headers, body, secret, 1531420618).timestamp == 1531420618


@EACH
@settings(deadline=None)
@given(body=st.binary(max_size=200))
def test_what_was_signed_gets_in(provider: Provider, body: bytes) -> None:
    headers = provider.sign(body, provider.secret)
    assert verify(provider.name, headers, body, provider.secret, NOW) == provider.delivery


@EACH
@settings(deadline=None)
@given(choice=st.data())
def test_one_changed_bit_does_not(provider: Provider, choice: st.DataObject) -> None:
    body = choice.draw(st.binary(min_size=1, max_size=60))
    headers = provider.sign(body, provider.secret)
    signed = [name for name in headers if name != "X-GitHub-Delivery"]
    part = choice.draw(st.sampled_from([*signed, "body", "secret"]))
    text = {**headers, "body": body.decode("latin-1"), "secret": provider.secret}[part]
    bit = choice.draw(st.integers(0, len(text) * 8 - 1))
    flipped = flip(text, bit)
    changed = {name: flipped if name == part else value for name, value in headers.items()}
    refused(
        provider.name,
        changed,
        flipped.encode("latin-1") if part == "body" else body,
        flipped if part == "secret" else provider.secret,
    )


def flip(text: str, bit: int) -> str:
    raw = bytearray(text.encode("latin-1"))
    raw[bit // 8] ^= 1 << bit % 8
    return raw.decode("latin-1")


@EACH
@pytest.mark.parametrize("kind", [str.lower, str.upper, str.title])
def test_names_of_headers_count_in_any_case(provider: Provider, kind: Callable[[str], str]) -> None:
    headers = {kind(name): value for name, value in provider.sign(b"{}", provider.secret).items()}
    for mapping in (headers, Headers(headers), CIMultiDict(headers)):
        assert verify(provider.name, mapping, b"{}", provider.secret, NOW) == provider.delivery


@EACH
def test_a_header_that_comes_twice_is_refused(provider: Provider) -> None:
    headers = provider.sign(b"{}", provider.secret)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    for name, value in headers.items():
        twice = Headers(raw=[*raw, (name.lower().encode(), b"x")])
        assert refused(provider.name, twice, b"{}", provider.secret) == "several_headers"
        same = {**headers, name.swapcase(): value}
        assert refused(provider.name, same, b"{}", provider.secret) == "several_headers"
        less = {other: text for other, text in headers.items() if other != name}
        assert refused(provider.name, less, b"{}", provider.secret) == "no_header"


@EACH
@pytest.mark.parametrize("value", ["", "\x00", "ä", "a\nb", "\ud800", "٣", "a" * 4097, "v1=\u00df"])
def test_absurd_headers_are_refused(provider: Provider, value: str) -> None:
    headers = provider.sign(b"{}", provider.secret)
    for name in headers:
        absurd = {**headers, name: value}
        assert refused(provider.name, absurd, b"{}", provider.secret) == "absurd_header"


@EACH
@pytest.mark.parametrize(
    "value", ["x", "v1", "=", ",", "t=", "v1,", "sha256=", "v0=", "sha1=" + "a" * 40]
)
def test_signatures_that_are_none_are_refused(provider: Provider, value: str) -> None:
    headers = {**provider.sign(b"{}", provider.secret), provider.signature: value}
    assert refused(provider.name, headers, b"{}", provider.secret)


@EACH
def test_without_a_secret_nobody_gets_in(provider: Provider) -> None:
    headers = provider.sign(b"{}", "")
    assert refused(provider.name, headers, b"{}", "") == "no_secret"
    assert refused(provider.name, headers, b"{}", "\ud800") == "bad_secret"


def test_secrets_of_standard_webhooks_are_long_and_base64() -> None:
    for secret, reason in (("whsec_", "no_secret"), ("whsec_c2hvcnQ=", "short_secret"),
                           ("whsec_!!!!", "bad_secret"), (PLAIN, "bad_secret")):  # fmt: skip
        headers = by_standard(b"{}", secret if reason.endswith("o_secret") else KEY)
        assert refused("standard", headers, b"{}", secret) == reason
    bare = KEY.removeprefix("whsec_")
    assert verify("standard", by_standard(b"{}", KEY), b"{}", bare, NOW).id == "msg_1"


@TIMED
@pytest.mark.parametrize(("away", "good"), [(0, True), (-300, True), (300, True), (-301, False),
                                            (301, False), (-360, False), (360, False)])  # fmt: skip
def test_five_minutes_in_both_directions(provider: Provider, away: int, good: bool) -> None:
    headers = provider.sign(b"{}", provider.secret, str(NOW + away))
    if good:
        found = verify(provider.name, headers, b"{}", provider.secret, NOW)
        assert found.timestamp == NOW + away
    else:
        assert refused(provider.name, headers, b"{}", provider.secret) == "too_old_or_early"


@TIMED
@pytest.mark.parametrize("time", [
    f"{NOW}.0", f"-{NOW}", f"+{NOW}", f" {NOW}", f"{NOW} ", "0x60371b32", "1e9", "nan", "inf", "",
    "9" * 13, "9" * 4000, f"{NOW}_0", "1_614_265_330",
])  # fmt: skip
def test_times_that_are_none_are_refused(provider: Provider, time: str) -> None:
    headers = provider.sign(b"{}", provider.secret, time)
    assert refused(provider.name, headers, b"{}", provider.secret) in (
        "bad_time", "absurd_header", "several_times"
    )  # fmt: skip


@TIMED
def test_a_clock_that_is_none_lets_nobody_in(provider: Provider) -> None:
    headers = provider.sign(b"{}", provider.secret)
    for now in (float("nan"), float("inf")):
        assert refused(provider.name, headers, b"{}", provider.secret, now) == "too_old_or_early"


def test_several_signatures_while_a_secret_is_changed() -> None:
    good = by_standard(b"{}", KEY)["webhook-signature"]
    other = sign("msg_1", NOW, b"{}", "whsec_" + base64.b64encode(b"x" * 24).decode())
    for text in (f"{other['webhook-signature']} {good}", f"{good} v1a,xyz v1,zzz", f"v2,x {good}"):
        verify("standard", {**other, "webhook-signature": text}, b"{}", KEY, NOW)
    for text in (
        good.replace("v1,", "v1a,"),
        good.replace("v1,", "v2,"),
        other["webhook-signature"],
    ):
        assert refused("standard", {**other, "webhook-signature": text}, b"{}", KEY)
    assert refused("standard", {**other, "webhook-signature": " ".join([good] * 17)}, b"{}", KEY)

    stripe = hexed(PLAIN, f"{NOW}.".encode())
    for text in (
        f"t={NOW},v1=00,v1={stripe}",
        f"t={NOW},v1={stripe},v0=6f",
        f"v1={stripe},t={NOW}",
    ):
        verify("stripe", {"Stripe-Signature": text}, b"", PLAIN, NOW)
    for text in (f"t={NOW},v0={stripe}", f"t={NOW},t={NOW},v1={stripe}", f"v1={stripe}",
                 f"t={NOW}," + ",".join([f"v1={stripe}"] * 17)):  # fmt: skip
        assert refused("stripe", {"Stripe-Signature": text}, b"", PLAIN)


def test_an_id_with_a_dot_could_pass_for_another() -> None:
    """`a` at one time and `a.<that time>` at another would have the same signature."""
    headers = sign("a", NOW, f"{NOW + 1}.{{}}".encode(), KEY)
    moved = {**headers, "webhook-id": f"a.{NOW}", "webhook-timestamp": str(NOW + 1)}
    assert refused("standard", moved, b"{}", KEY) == "bad_id"


@pytest.mark.parametrize("wrong", [
    {"delivery": ""}, {"delivery": "a.b"}, {"delivery": "a b"}, {"delivery": "a\r\nb: c"},
    {"delivery": "a" * 257}, {"timestamp": -1}, {"timestamp": 10**12}, {"secret": ""},
    {"secret": "whsec_"}, {"secret": "whsec_c2hvcnQ="}, {"secret": "whsec_!!!"}, {"secret": "ä"},
])  # fmt: skip
def test_what_no_receiver_would_take_is_not_signed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as error:
        sign(**{"delivery": "a", "timestamp": NOW, "body": b"{}", "secret": KEY, **wrong})
    assert error.value.__suppress_context__
    assert not wrong.get("secret") or wrong["secret"] not in error.value.message
