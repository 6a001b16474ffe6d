"""TLS to a checked address: the name stays that of the URL, and so does the certificate's."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from growqr.errors import Invalid, Unavailable
from growqr.integrations import GIT_SAFE, LOOPBACK, Outside, git_environment, git_pins
from tests.unit.integrations.target import Names, Target, listening, to

pytestmark = pytest.mark.anyio

NAME = "hooks.example"


class Certificate(NamedTuple):
    pem: Path
    server: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "both.pem"
    form = serialization.PrivateFormat.PKCS8
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return Certificate(pem, server, ssl.create_default_context(cafile=str(pem)))


@pytest.fixture
async def target(certificate: Certificate) -> AsyncIterator[Target]:
    async with listening(certificate.server) as opened:
        yield opened


def names() -> Names:
    return Names(hooks_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])


async def test_the_name_of_the_url_is_that_of_tls(target: Target, certificate: Certificate) -> None:
    async with Outside(allow=LOOPBACK, resolver=names(), tls=certificate.trusting) as outside:
        answer = await outside.ask("GET", f"https://{NAME}:{target.port}/")
    assert (answer.status, answer.body) == (200, b"hello")
    assert target.names == [NAME]
    assert f"\r\nHost: {NAME}:{target.port}\r\n".encode() in target.requests[0]


async def test_a_certificate_of_another_name_is_none(
    target: Target, certificate: Certificate
) -> None:
    async with Outside(allow=LOOPBACK, resolver=names(), tls=certificate.trusting) as outside:
        for host in ("other.example", "127.0.0.1"):
            with pytest.raises(Unavailable) as refused:
                await outside.ask("GET", f"https://{host}:{target.port}/")
            assert refused.value.detail == {"reason": "tls"}
    assert target.requests == []


async def test_an_authority_nobody_knows_is_refused(target: Target) -> None:
    async with Outside(allow=LOOPBACK, resolver=names()) as outside:
        with pytest.raises(Unavailable) as refused:
            await outside.ask("GET", f"https://{NAME}:{target.port}/")
    assert refused.value.detail == {"reason": "tls"}
    assert target.requests == []


async def test_https_does_not_redirect_to_http(target: Target, certificate: Certificate) -> None:
    async with (
        listening() as plain,
        Outside(allow=LOOPBACK, resolver=names(), tls=certificate.trusting) as outside,
    ):
        url = f"https://{NAME}:{target.port}/{to(f'http://{NAME}:{plain.port}/')}"
        with pytest.raises(Invalid) as refused:
            await outside.ask("GET", url, follow=1)
        assert refused.value.detail == {"field": "redirect", "reason": "scheme"}
        assert await plain.visitors() == []


async def git(*arguments: str, pem: Path) -> tuple[int, str]:
    asked = ["git", *GIT_SAFE, "-c", f"http.sslCAInfo={pem}", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, asked, env=git_environment(), capture_output=True, text=True, timeout=20
    )
    return done.returncode, done.stderr


async def test_git_connects_to_the_checked_address(
    target: Target, certificate: Certificate
) -> None:
    """The name is in no DNS: it is the pin that leads there."""
    url = f"https://{NAME}:{target.port}/team/project.git"
    async with Outside(allow=LOOPBACK, resolver=names()) as outside:
        pins = git_pins(url, await outside.resolve(url))
    await git(*pins, "ls-remote", "--", url, pem=certificate.pem)
    assert set(target.names) == {NAME}
    assert target.requests[0].startswith(b"GET /team/project.git/info/refs?service=git-upload-pack")


async def test_git_follows_no_redirect(target: Target, certificate: Certificate) -> None:
    async with listening(certificate.server) as inner:
        there = f"https://{NAME}:{inner.port}/"
        url = f"https://{NAME}:{target.port}/{to(there)}"
        pins = [*git_pins(url, ["127.0.0.1"]), *git_pins(there, ["127.0.0.1"])]
        code, _ = await git(*pins, "ls-remote", "--", url, pem=certificate.pem)
        assert code != 0
        assert len(target.requests) == 1
        assert inner.log == []


@pytest.mark.parametrize("url", [
    "ext::sh -c 'touch {mark}'", "file://{folder}", "{folder}", "http://127.0.0.1:1/x",
    "ssh://-oProxyCommand=touch%20{mark}/x", "git://127.0.0.1:1/x",
])  # fmt: skip
async def test_git_itself_speaks_https_only(url: str, tmp_path: Path) -> None:
    """Even where nobody has checked the URL before."""
    mark, pem = tmp_path / "mark", tmp_path / "none"
    await git("init", "--quiet", "--bare", str(tmp_path / "there"), pem=pem)
    assert (tmp_path / "there" / "HEAD").exists()
    asked = url.format(mark=mark, folder=tmp_path / "there")
    code, words = await git("clone", "--quiet", "--", asked, str(tmp_path / "copy"), pem=pem)
    assert code != 0
    assert "not allowed" in words or "strange hostname" in words
    assert not mark.exists()
    assert not (tmp_path / "copy").exists()
