"""Which providers there are, what they need, and where a browser may be sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from growqr.config import Settings
from growqr.errors import InstanceError, NotFound
from growqr.identity import OAuth, open_providers
from growqr.identity.oauth import known
from tests.fakes.oauth_provider import OAuthProvider
from tests.unit.identity.conftest import cookie, signed_in

pytestmark = pytest.mark.anyio

GITHUB = {"github_client_id": "id", "github_client_secret": "secret_canary"}


def chosen(**fields: Any) -> Settings:
    return Settings.model_validate({"data": "unused", **fields})


def test_the_leaves_are_found_by_their_names() -> None:
    assert sorted(known()) == ["github", "google"]


def test_two_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "leaves_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    leaf = "from growqr.identity.oauth import Provider\nclass Leaf(Provider):\n    name = 'same'\n"
    (folder / "one.py").write_text(leaf)
    monkeypatch.syspath_prepend(tmp_path)
    assert list(known("leaves_of_a_test")) == ["same"]
    (folder / "two.py").write_text(leaf)
    import importlib

    importlib.invalidate_caches()
    with pytest.raises(InstanceError, match="two sign-in providers are called same"):
        known("leaves_of_a_test")


def test_those_with_a_client_id_are_there() -> None:
    assert open_providers(chosen(github_client_id="")) == {}
    assert list(open_providers(chosen(**GITHUB))) == ["github"]


@pytest.mark.parametrize("name", ["GITHUB", "GOOGLE"])
def test_an_id_without_its_secret_names_the_variable(name: str) -> None:
    with pytest.raises(InstanceError, match=f"{name}_CLIENT_SECRET is not"):
        open_providers(chosen(**{f"{name.lower()}_client_id": "id"}))


@pytest.mark.parametrize("missing", ["authlib", "authlib.integrations.httpx_client", "httpx2"])
def test_without_the_library_the_extra_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith("authlib"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InstanceError, match=r'pip install "growqr\[oauth\]"') as caught:
        open_providers(chosen(**GITHUB))
    assert "canary" not in caught.value.message
    assert open_providers(chosen()) == {}


@pytest.mark.parametrize(
    ("fields", "fine"),
    [
        ({}, True),
        ({"github_url": "http://127.0.0.1:1"}, True),
        ({"github_url": "http://[::1]:1"}, True),
        ({"github_url": "http://localhost:1"}, True),
        ({"github_url": "http://127.0.0.1:1", "profile": "production"}, False),
        ({"github_url": "http://github.example"}, False),
        ({"github_url": "http://127.0.0.1.example"}, False),
        ({"github_url": "https://user:pw@github.example"}, False),
        ({"github_url": "ftp://127.0.0.1"}, False),
        ({"github_api_url": "http://10.0.0.1"}, False),
        ({"github_api_url": "github.example"}, False),
    ],
)
def test_an_address_is_https_or_loopback_in_development(fields: dict[str, str], fine: bool) -> None:
    settings = chosen(**GITHUB, **fields)
    if fine:
        assert open_providers(settings)
    else:
        with pytest.raises(InstanceError, match=r"GROWQR_GITHUB_(API_)?URL=.* must be an https"):
            open_providers(settings)


def test_nobody_pays_for_what_is_not_used() -> None:
    """The room itself, and its providers without a client id, load no client for HTTP."""
    code = (
        "import sys; from growqr.config import Settings;"
        "from growqr.identity import open_providers;"
        "open_providers(Settings.model_validate({'github_client_id': None, 'google_client_id': ''"
        "}));print(sorted({'authlib', 'httpx', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


async def test_an_unknown_provider_is_answered_with_the_known_ones(oauth: OAuth) -> None:
    for name in ("gitlab", "", "../github", "GitHub"):
        with pytest.raises(NotFound, match="there is: github, google"):
            await oauth.begin(name, cookie=cookie(), return_to="/")
        with pytest.raises(NotFound, match="there is: github, google"):
            await oauth.finish(name, code="c", state="s", cookie=cookie())
    assert oauth.titles == {"github": "GitHub", "google": "Google"}


@pytest.mark.parametrize(
    ("wished", "goes"),
    [
        ("/", "/"),
        ("/agents?x=1&y=%2F#z", "/agents?x=1&y=%2F#z"),
        ("/a//b", "/a//b"),
        ("/" + "x" * 499, "/" + "x" * 499),
        ("/" + "x" * 500, "/"),
        ("", "/"),
        ("agents", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("/a\n", "/"),
        (" //evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\u2028x", "/"),
        ("/\ud800", "/"),
        ("/\x00", "/"),
    ],
)
async def test_a_browser_is_sent_to_a_path_of_this_site_alone(
    oauth: OAuth, provider: OAuthProvider, wished: str, goes: str
) -> None:
    assert (await signed_in(oauth, provider, return_to=wished)).return_to == goes


def test_a_browser_finds_the_buttons(provider: OAuthProvider) -> None:
    """The fake's own page: what a real browser presses."""
    import httpx

    query = {
        "client_id": provider.client_id, "response_type": "code", "state": "s" * 43,
        "code_challenge_method": "S256", "code_challenge": "c" * 43,
        "redirect_uri": "http://127.0.0.1:1/auth/github/callback",
    }  # fmt: skip
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(f"{provider.url}/login/oauth/authorize", params=query)
        assert ">Authorize</button>" in page.text
        pressed = browser.post(
            f"{provider.url}/login/oauth/authorize", data=query | {"auto": "allow"}
        )
    assert pressed.headers["location"].startswith(query["redirect_uri"] + "?code=")
