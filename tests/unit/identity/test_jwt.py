"""The door: what the built-in issuer signs gets in, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from growqr.config import Settings
from growqr.errors import InstanceError, Invalid, Unauthorized
from growqr.identity import LocalIssuer, Verifier, check_profile, ensure_key, mint
from growqr.identity.jwt import PublicKey

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.model_validate({"data": tmp_path_factory.mktemp("data")})


@pytest.fixture(scope="module")
def issuer(settings: Settings) -> LocalIssuer:
    return LocalIssuer(settings)


@pytest.fixture(scope="module")
def private(settings: Settings, issuer: LocalIssuer) -> rsa.RSAPrivateKey:
    pem = (settings.secrets / "issuer.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Makes tokens of any shape with the issuer's own key."""

    def __init__(self, issuer: LocalIssuer, private: rsa.RSAPrivateKey) -> None:
        self.issuer, self.private = issuer, private
        self.now = time.time()
        self.header: dict[str, Any] = {"alg": "RS256", "typ": "JWT", "kid": issuer.kid}
        self.claims: dict[str, Any] = {
            "iss": issuer.issuer, "sub": "alice", "sid": "s",
            "iat": int(self.now), "nbf": int(self.now), "exp": int(self.now) + 600,
        }  # fmt: skip

    def body(self, header: dict[str, Any] | None = None, drop: str = "", **claims: Any) -> str:
        kept = {k: v for k, v in (self.claims | claims).items() if k != drop}
        return f"{part(self.header | (header or {}))}.{part(kept)}"

    def sign(self, body: str, key: rsa.RSAPrivateKey | None = None) -> str:
        made = (key or self.private).sign(body.encode(), padding.PKCS1v15(), SHA256())
        return f"{body}.{part(made)}"

    def token(self, header: dict[str, Any] | None = None, drop: str = "", **claims: Any) -> str:
        return self.sign(self.body(header, drop, **claims))

    def hs256(self, secret: bytes) -> str:
        body = self.body({"alg": "HS256"})
        return f"{body}.{part(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"

    def public(self, encoding: serialization.Encoding) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(encoding, form)


@pytest.fixture
def forge(issuer: LocalIssuer, private: rsa.RSAPrivateKey) -> Forge:
    return Forge(issuer, private)


@pytest.fixture
def verifier(issuer: LocalIssuer) -> Verifier:
    return Verifier([issuer])


async def test_minted_token_gets_in(settings: Settings, verifier: Verifier) -> None:
    found = await verifier.verify([f"Bearer {mint(settings, 'alice')}"])
    assert (found.user_id, found.name, found.subject) == ("u_alice", "alice", "alice")
    assert found.session
    assert found.expires > time.time() + 11 * 3600


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], "no_header"),
        (["Basic YTpi"], "no_bearer_jwt"),
        (["Bearer "], "no_bearer_jwt"),
        (["Bearer {good}", "Bearer {good}"], "several_headers"),
        (["bearer {good}"], "no_bearer_jwt"),
        (["Bearer {good} "], "no_bearer_jwt"),
        (["Bearer {good}\n"], "no_bearer_jwt"),
        (["Bearer " + "a" * 600 + ".b.c"], "no_bearer_jwt"),
        (["Bearer a." + "b" * 5000 + ".c"], "too_long"),
        (["Bearer a.b"], "no_bearer_jwt"),
        (["Bearer a.b.c"], "Error"),
    ],
)
async def test_header_must_have_one_form(
    headers: list[str], why: str, forge: Forge, verifier: Verifier, caplog: Any
) -> None:
    caplog.set_level("INFO")
    headers = [text.replace("{good}", forge.token()) for text in headers]
    with pytest.raises(Unauthorized) as refused:
        await verifier.verify(headers)
    assert str(refused.value) == "A valid bearer token is required."
    assert why in caplog.text


def attacks(forge: Forge) -> dict[str, str]:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = forge.public(serialization.Encoding.PEM)
    der = forge.public(serialization.Encoding.DER)
    nested = base64.urlsafe_b64encode(b"[" * 1500).rstrip(b"=").decode()
    jwk = {"kty": "oct", "k": part(b"secret")}
    tokens = {f"alg {alg}": forge.body({"alg": alg}) + "." + part(b"x")
              for alg in ("none", "None", "nOnE", "RS384", "ES256", "", None, 7)}  # fmt: skip
    tokens |= {
        "HS256 with PEM": forge.hs256(pem),
        "HS256 with DER": forge.hs256(der),
        "HS256 without armour": forge.hs256(b"".join(pem.splitlines()[1:-1])),
        "HS256 with nothing": forge.hs256(b""),
        "foreign key under the right kid": forge.sign(forge.body(), foreign),
        "foreign key with its jwk": forge.sign(forge.body({"jwk": jwk}), foreign),
        "foreign key with jku": forge.sign(forge.body({"jku": "http://127.0.0.1:9/"}), foreign),
        "foreign key with x5u": forge.sign(forge.body({"x5u": "http://127.0.0.1:9/"}), foreign),
        "unknown kid": forge.token({"kid": "0" * 16}),
        "kid is a list": forge.token({"kid": [forge.issuer.kid]}),
        "kid is too long": forge.token({"kid": "k" * 129}),
        "crit": forge.token({"crit": ["x"]}),
        "typ": forge.token({"typ": "at+jwt"}),
        "expired": forge.token(exp=forge.now - 6, iat=forge.now - 60),
        "not yet": forge.token(nbf=forge.now + 60),
        "issued in the future": forge.token(iat=forge.now + 60),
        "lives too long": forge.token(exp=forge.now + 13 * 3600),
        "other issuer": forge.token(iss="growqr:0123456789abcdef"),
        "exp is a string": forge.token(exp="99999999999"),
        "exp is true": forge.token(exp=True),
        "iat is false": forge.token(iat=False, exp=600),
        "exp is endless": forge.token(exp=float("inf")),
        "sub is no name": forge.token(sub="../../etc"),
        "sub is a number": forge.token(sub=7),
        "sid is empty": forge.token(sid=""),
        "claims are a list": forge.sign(f"{part(forge.header)}.{part([1])}"),
        "claims are nested": forge.sign(f"{part(forge.header)}.{nested}"),
        "changed claims": forge.body(sub="bob") + "." + forge.token().rsplit(".", 1)[1],
    }
    return tokens | {f"no {name}": forge.token(drop=name)
                     for name in ("exp", "iat", "nbf", "iss", "sub", "sid")}  # fmt: skip


async def test_no_attack_gets_in(forge: Forge, verifier: Verifier) -> None:
    for name, token in attacks(forge).items():
        started = time.perf_counter()
        with pytest.raises(Unauthorized):
            await verifier.verify([f"Bearer {token}"])
            pytest.fail(f"{name} got in")
        assert time.perf_counter() - started < 0.5, name


async def test_clocks_may_differ_a_little(forge: Forge, verifier: Verifier) -> None:
    late = time.time() - 3
    assert await verifier.verify([f"Bearer {forge.token(exp=late, iat=late - 60)}"])


class Emptied(LocalIssuer):
    """The issuer, until its key is taken away."""

    gone = False

    async def key(self, kid: str | None) -> PublicKey | None:
        return None if self.gone else await super().key(kid)


@pytest.mark.parametrize(("life", "seconds"), [(600, 60), (30, 30)])
async def test_token_is_remembered_for_a_minute_or_its_life(
    settings: Settings, forge: Forge, life: int, seconds: int
) -> None:
    clock = [forge.now]
    source = Emptied(settings)
    verifier = Verifier([source], lambda: clock[0])
    header = [f"Bearer {forge.token(exp=int(forge.now) + life)}"]
    found = await verifier.verify(header)
    source.gone = True
    clock[0] += seconds - 2
    assert await verifier.verify(header) == found
    clock[0] += 3
    with pytest.raises(Unauthorized):
        await verifier.verify(header)


async def test_nothing_secret_is_logged(forge: Forge, verifier: Verifier, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    token = forge.token(exp=forge.now - 60, iat=forge.now - 600)
    with pytest.raises(Unauthorized):
        await verifier.verify([f"Bearer {token}"])
    assert "ExpiredSignatureError" in caplog.text
    assert token.split(".")[1] not in caplog.text


def test_parallel_first_starts_share_one_key(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure_key(settings), range(4)))
        kids = set(pool.map(lambda _: LocalIssuer(settings).kid, range(4)))
    assert len(kids) == 1
    assert [path.name for path in settings.secrets.iterdir()] == ["issuer.pem"]
    assert (settings.secrets / "issuer.pem").stat().st_mode & 0o777 == 0o600
    assert settings.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("name", "ttl"), [("Alice", 60), ("a b", 60), ("alice", 13 * 3600)])
def test_mint_refuses(settings: Settings, name: str, ttl: float) -> None:
    with pytest.raises(Invalid):
        mint(settings, name, ttl)


def test_production_refuses_the_built_in_issuer(settings: Settings) -> None:
    check_profile(settings)
    with pytest.raises(InstanceError, match="GROWQR_PROFILE"):
        check_profile(settings.model_copy(update={"profile": "production"}))
