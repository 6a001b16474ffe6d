"""Issuers of others: each is held to its own rules, and none can speak for another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from growqr.config import Settings
from growqr.errors import InstanceError, Unauthorized
from growqr.identity import LocalIssuer, Verifier, mint, open_verifier
from growqr.names import foreign_user_id
from tests.fakes.clerk import FakeClerk, b64, jwk, private_key, signed
from tests.unit.identity.conftest import Clock, Opened

pytestmark = pytest.mark.anyio

FOREIGN = private_key(99)
HERE = "https://growqr.example.com"


@pytest.fixture
def attacker() -> Iterator[FakeClerk]:
    with FakeClerk() as other:
        yield other


@pytest.fixture
def verifier(opened: Opened) -> Verifier:
    return opened(public_url=HERE)


async def refused(verifier: Verifier, token: str, caplog: Any) -> str:
    """The reason in the log."""
    caplog.clear()
    caplog.set_level("INFO", "growqr.identity.verifier")
    with pytest.raises(Unauthorized, match=r"^A valid bearer token is required\.$"):
        await verifier.verify([f"Bearer {token}"])
    return str(caplog.messages[-1]).removeprefix("token refused: ").split(" (")[0]


async def test_session_of_clerk_gets_in(clerk: FakeClerk, verifier: Verifier) -> None:
    found = await verifier.verify([f"Bearer {clerk.token(azp=HERE)}"])
    assert found.user_id == foreign_user_id(clerk.url, "user_2Ann")
    assert (found.issuer, found.subject, found.session) == (clerk.url, "user_2Ann", "sess_2Ann")
    assert (found.name, found.email) == ("user_2Ann", None)


def hs256(clerk: FakeClerk, secret: bytes) -> str:
    body = signed({"alg": "HS256", "kid": clerk.kid}, clerk.claims()).rsplit(".", 1)[0]
    return f"{body}.{b64(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def forgeries(clerk: FakeClerk, attacker: FakeClerk) -> dict[str, tuple[str, str]]:
    public = clerk.keys[clerk.kid].public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_set = f"{attacker.url}/.well-known/jwks.json"
    found = {
        f"alg {alg}": (clerk.token(header={"alg": alg}), "wrong_algorithm")
        for alg in ("none", "None", "nOnE", "", ["RS256"], 7, "RS384", "PS256")
    }
    secrets = {"PEM": clerk.pem.encode(), "DER": der, "nothing": b"", "an error": b"not found",
               "armourless": "".join(clerk.pem.splitlines()[1:-1]).encode()}  # fmt: skip
    found |= {f"HS256 with {s}": (hs256(clerk, v), "wrong_algorithm") for s, v in secrets.items()}
    found["foreign key under the right kid"] = (clerk.token(key=FOREIGN), "JWTError")
    small = private_key(0, 1024)  # the jwk of a larger one does not fit into the header
    for name, value in {"jku": key_set, "x5u": key_set, "jwk": jwk(clerk.kid, small)}.items():
        found[name] = (clerk.token(header={name: value}, key=small), "JWTError")
    return found | {
        "attacker's issuer": (attacker.token(), "unknown_issuer"),
        "attacker's key": (attacker.token(iss=clerk.url), "unknown_kid"),
        "no kid": (clerk.token(header={"kid": None}), "no_kid"),
        "kid is a number": (clerk.token(header={"kid": 7}), "wrong_kid"),
        "crit": (clerk.token(header={"crit": ["x"]}), "wrong_header"),
        "typ": (clerk.token(header={"typ": "at+jwt"}), "wrong_header"),
        "nested header": (f"{b64(b'[' * 380)}.e30.AA", "JSONDecodeError"),
        "long nested header": (f"{b64(b'[' * 200_000)}.e30.AA", "too_long"),
    }


async def test_forged_tokens(
    clerk: FakeClerk, attacker: FakeClerk, verifier: Verifier, caplog: Any
) -> None:
    await verifier.verify([f"Bearer {clerk.token()}"])
    for name, (token, reason) in forgeries(clerk, attacker).items():
        began = time.perf_counter()
        assert (name, await refused(verifier, token, caplog)) == (name, reason)
        assert time.perf_counter() - began < 0.05 or reason == "unknown_kid", name
    assert attacker.fetches == attacker.discoveries == 0


def wrong_claims(clerk: FakeClerk) -> dict[str, tuple[dict[str, Any], str]]:
    now = int(clerk.clock())
    found: dict[str, tuple[dict[str, Any], str]] = {
        f"no {claim}": ({claim: None}, "JWTError") for claim in ("exp", "iat", "nbf", "sub")
    }
    return found | {
        "no iss": ({"iss": None}, "unknown_issuer"),
        "no sid": ({"sid": None}, "no_sid"),
        "sid is a list": ({"sid": ["sess_2Ann"]}, "no_sid"),
        "other iss": ({"iss": "https://clerk.example.com"}, "unknown_issuer"),
        "iss with a slash": ({"iss": clerk.url + "/"}, "unknown_issuer"),
        "iss is a list": ({"iss": [clerk.url]}, "TypeError"),
        "expired": ({"exp": now - 6, "iat": now - 60}, "ExpiredSignatureError"),
        "not yet": ({"nbf": now + 60}, "JWTClaimsError"),
        "issued in the future": ({"iat": now + 60, "exp": now + 120}, "issued_in_future"),
        "lives for more than an hour": ({"exp": now + 3601}, "lives_too_long"),
        "exp is a string": ({"exp": "99999999999"}, "times_not_numbers"),
        "iat is a string": ({"iat": str(now)}, "times_not_numbers"),
        "nbf is a bool": ({"nbf": True}, "times_not_numbers"),
        "exp is a bool": ({"exp": True}, "ExpiredSignatureError"),
        "exp is endless": ({"exp": float("inf")}, "OverflowError"),
        "azp of another": ({"azp": "http://evil"}, "wrong_azp"),
        "azp with more": ({"azp": HERE + ".evil.example"}, "wrong_azp"),
        "azp is empty": ({"azp": ""}, "wrong_azp"),
        "azp is a list": ({"azp": [HERE]}, "TypeError"),
        "pending": ({"sts": "pending"}, "pending"),
        "sub of a local user": ({"sub": "alice"}, "wrong_sub"),
        "sub with a path": ({"sub": "user_../x"}, "wrong_sub"),
        "sub with a line": ({"sub": "user_2Ann\n"}, "wrong_sub"),
        "sub is too long": ({"sub": "user_" + "a" * 65}, "wrong_sub"),
        "sub is a number": ({"sub": 7}, "JWTClaimsError"),
    }


async def test_wrong_claims(clerk: FakeClerk, verifier: Verifier, caplog: Any) -> None:
    for name, (claims, reason) in wrong_claims(clerk).items():
        token = clerk.token(**claims)
        assert (name, await refused(verifier, token, caplog)) == (name, reason)


async def test_clocks_may_differ_by_five_seconds(clerk: FakeClerk, verifier: Verifier) -> None:
    now = clerk.clock()
    assert await verifier.verify([f"Bearer {clerk.token(exp=now - 3, iat=now - 63)}"])


async def test_expiry_follows_the_clock_it_is_given(
    clerk: FakeClerk, verifier: Verifier, clock: Clock, caplog: Any
) -> None:
    token = clerk.token()
    await verifier.verify([f"Bearer {token}"])
    clock.now += 66
    assert await refused(verifier, token, caplog) == "expired"


async def test_who_may_use_a_token(clerk: FakeClerk, opened: Opened, caplog: Any) -> None:
    open_to_all = opened()
    chosen = opened(
        frontend_url="http://Localhost:3000/", authorized_parties=["https://a.example:443/x"]
    )
    for azp in ("http://localhost:3000", "https://a.example", "http://127.0.0.1:4000"):
        assert await chosen.verify([f"Bearer {clerk.token(azp=azp)}"])
    assert await chosen.verify([f"Bearer {clerk.token()}"])
    assert await open_to_all.verify([f"Bearer {clerk.token(azp='http://evil')}"])
    assert await refused(chosen, clerk.token(azp="http://evil"), caplog) == "wrong_azp"
    public = opened(public_url=HERE)
    assert await refused(public, clerk.token(azp="http://127.0.0.1:4000"), caplog) == "wrong_azp"


NAMES = [
    ({"name": "Ann\u202e\n Example"}, "Ann Example", None),
    ({"name": "x" * 200}, "x" * 100, None),
    ({"name": "\x00", "email": "ann@example.com"}, "ann", "ann@example.com"),
    ({"name": ["Ann"]}, "user_2Ann", None),
    ({"email": "ann@example.com", "email_verified": True}, "ann", "ann@example.com"),
    ({"email": "ann@example.com", "email_verified": False}, "user_2Ann", None),
    ({"email": "ann@example.com", "email_verified": "false"}, "user_2Ann", None),
    ({"email": "ann"}, "user_2Ann", None),
    ({"email": "a@b@c"}, "user_2Ann", None),
    ({"email": 7}, "user_2Ann", None),
]


@pytest.mark.parametrize(("claims", "name", "email"), NAMES)
async def test_names_and_addresses(
    claims: dict[str, Any], name: str, email: str | None, clerk: FakeClerk, verifier: Verifier
) -> None:
    found = await verifier.verify([f"Bearer {clerk.token(**claims)}"])
    assert (found.name, found.email) == (name, email)


async def test_key_of_the_settings_needs_no_network(
    clerk: FakeClerk, opened: Opened, caplog: Any
) -> None:
    for pem in (clerk.pem, clerk.pem.replace("\n", "\\n"), f'"{clerk.pem.strip()}"'):
        verifier = opened(clerk_jwt_key=pem)
        for kid in (clerk.kid, "any", None):
            assert await verifier.verify([f"Bearer {clerk.token(header={'kid': kid})}"])
        assert await refused(verifier, clerk.token(key=FOREIGN), caplog) == "JWTError"
        assert await refused(verifier, hs256(clerk, pem.encode()), caplog) == "wrong_algorithm"
    assert clerk.fetches == 0


async def test_openid_issuer(clerk: FakeClerk, opened: Opened, caplog: Any) -> None:
    verifier = opened(oidc_issuer=clerk.url, oidc_audience="growqr")
    usual: dict[str, Any] = {"nbf": None, "sid": None, "sts": None, "aud": "growqr"}
    subject = "auth0|Zoë 7"
    token = clerk.token(subject, **usual, at_hash="x", azp="client", name="Zoë")
    found = await verifier.verify([f"Bearer {token}"])
    assert found.user_id == foreign_user_id(clerk.url, subject)
    assert (found.name, found.session) == ("Zoë", hashlib.sha256(token.encode()).hexdigest()[:32])
    for claims, session in (({"jti": "j"}, "j"), ({"jti": "j", "sid": "s"}, "s")):
        token = clerk.token(subject, **{**usual, **claims})
        assert (await verifier.verify([f"Bearer {token}"])).session == session
    assert await verifier.verify([f"Bearer {clerk.token(**{**usual, 'aud': ['a', 'growqr']})}"])
    for aud, reason in ((None, "JWTError"), ("other", "JWTClaimsError"), ([], "JWTClaimsError"),
                        (7, "JWTClaimsError")):  # fmt: skip
        assert await refused(verifier, clerk.token(**usual | {"aud": aud}), caplog) == reason
    for subject in ("", "a\nb", "x" * 256):
        assert await refused(verifier, clerk.token(subject, **usual), caplog) == "wrong_sub"
    late = {"nbf": int(clerk.clock()) + 60}
    assert await refused(verifier, clerk.token(**usual | late), caplog) == "JWTClaimsError"


async def test_issuers_cannot_speak_for_each_other(
    clerk: FakeClerk, attacker: FakeClerk, opened: Opened, tmp_path: Path, caplog: Any
) -> None:
    keys = f"{attacker.url}/.well-known/jwks.json"
    verifier = opened(local_issuer="auto", oidc_issuer="https://other.example", oidc_jwks_url=keys,
                      clerk_publishable_key=clerk.publishable_key)  # fmt: skip
    settings = Settings.model_validate({"data": tmp_path})
    local = LocalIssuer(settings)
    assert verifier.issuers == (local.issuer, clerk.url, "https://other.example")
    theirs = {"iss": "https://other.example"}
    for token in (mint(settings, "alice"), clerk.token(), attacker.token(**theirs)):
        assert await verifier.verify([f"Bearer {token}"])
    for issuer in (local.issuer, clerk.url):
        forged = attacker.token("user_2Ann", iss=issuer)
        assert await refused(verifier, forged, caplog) == "unknown_kid"
    under = {"header": {"kid": local.kid}, "iss": local.issuer}
    assert await refused(verifier, attacker.token("alice", **under), caplog) == "JWTError"
    long = attacker.token(**theirs, exp=int(time.time()) + 7200)
    assert await refused(verifier, long, caplog) == "lives_too_long"


def key_for(host: str) -> str:
    return "pk_live_" + base64.b64encode(host.encode()).decode()


CLERK = {"clerk_publishable_key": key_for("clerk.example.com$")}
PRODUCTION = {"profile": "production", "public_url": HERE}
WEAK = private_key(0, 1024).public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
).decode()  # fmt: skip
WRONG = [
    ({"clerk_publishable_key": "sk_test_abc"}, "CLERK_PUBLISHABLE_KEY .* pk_test_ or pk_live_"),
    ({"clerk_publishable_key": "pk_test_"}, "CLERK_PUBLISHABLE_KEY"),
    ({"clerk_publishable_key": "pk_test_%%%"}, "CLERK_PUBLISHABLE_KEY"),
    ({"clerk_publishable_key": key_for("clerk.example.com")}, "CLERK_PUBLISHABLE_KEY"),
    ({"clerk_publishable_key": key_for("evil.example/x$")}, "CLERK_PUBLISHABLE_KEY"),
    ({"clerk_publishable_key": key_for("a@evil.example$")}, "CLERK_PUBLISHABLE_KEY"),
    ({"clerk_publishable_key": key_for("127.0.0.1:9$"), **PRODUCTION}, "this machine"),
    ({**CLERK, "profile": "production"}, "GROWQR_PUBLIC_URL"),
    ({"clerk_jwt_key": WEAK}, "CLERK_PUBLISHABLE_KEY too"),
    ({**CLERK, "clerk_jwt_key": WEAK}, "CLERK_JWT_KEY .* 2048"),
    ({**CLERK, "clerk_jwt_key": "".join(WEAK.splitlines()[1:-1])}, "CLERK_JWT_KEY .*BEGIN"),
    ({**CLERK, "clerk_jwt_key": "secret"}, "CLERK_JWT_KEY .*BEGIN"),
    ({**CLERK, "clerk_jwt_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n"}, "CLERK_JWT_KEY"),
    ({"oidc_issuer": "http://issuer.example"}, "GROWQR_OIDC_ISSUER .* https"),
    ({"oidc_issuer": "issuer"}, "GROWQR_OIDC_ISSUER"),
    ({"oidc_issuer": "http://127.0.0.1:9", **PRODUCTION}, "GROWQR_OIDC_ISSUER"),
    ({"oidc_issuer": "x", "oidc_jwks_url": "http://a.example/"}, "GROWQR_OIDC_JWKS_URL"),
    ({**CLERK, "oidc_issuer": "https://clerk.example.com"}, "same issuer"),
]


@pytest.mark.parametrize(("chosen", "match"), WRONG)
def test_wrong_settings_are_named(chosen: dict[str, Any], match: str, tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=match):
        open_verifier(Settings.model_validate({"data": tmp_path, **chosen}))


@pytest.mark.parametrize(
    ("chosen", "issuers"),
    [
        ({}, 1),
        ({"local_issuer": "off"}, 0),
        (PRODUCTION, 0),
        ({**PRODUCTION, "local_issuer": "on"}, 1),
        ({**PRODUCTION, **CLERK, "oidc_issuer": "https://issuer.example"}, 2),
    ],
)
def test_issuers_follow_the_settings(chosen: dict[str, Any], issuers: int, tmp_path: Path) -> None:
    verifier = open_verifier(Settings.model_validate({"data": tmp_path, **chosen}))
    assert len(verifier.issuers) == issuers


async def test_without_an_issuer_nobody_gets_in(opened: Opened, tmp_path: Path) -> None:
    verifier = open_verifier(Settings.model_validate({"data": tmp_path, "local_issuer": "off"}))
    assert not (tmp_path / "secrets").exists()
    token = mint(Settings.model_validate({"data": tmp_path}), "alice")
    with pytest.raises(Unauthorized):
        await verifier.verify([f"Bearer {token}"])


def test_keys_are_of_the_cryptography_backend() -> None:
    from growqr.identity.jwt import public_key

    assert isinstance(FOREIGN, rsa.RSAPrivateKey)
    assert public_key(FOREIGN.public_key()).__class__.__module__.endswith("cryptography_backend")
    with pytest.raises(ValueError, match="1024"):
        public_key(private_key(0, 1024).public_key())
