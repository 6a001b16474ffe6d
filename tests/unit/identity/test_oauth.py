"""Signing in at a provider: one browser, once, in time, with a verified address or none."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from structlog.testing import capture_logs

from growqr.config import Settings
from growqr.errors import (
    BadRequest,
    GrowqrError,
    Unavailable,
)
from growqr.identity import OAuth, redirect_uri
from growqr.store import OPERATOR, User
from tests.fakes.oauth_provider import OAuthProvider
from tests.unit.identity.conftest import Clock, Replica, cookie, signed_in

pytestmark = pytest.mark.anyio

BOTH = pytest.mark.parametrize("name", ["github", "google"])


async def begun(oauth: OAuth, name: str = "github", **more: Any) -> tuple[str, str]:
    """(the provider's page, the browser's cookie)"""
    browser = cookie()
    return await oauth.begin(name, cookie=browser, **{"return_to": "/", **more}), browser


async def refusal(call: Any, kind: type[GrowqrError] = BadRequest) -> str:
    """The code of the error that `call` ends with."""
    with pytest.raises(kind) as caught:
        await call
    return str(caught.value.detail.get("code", caught.value.code))


@BOTH
async def test_there_and_back(oauth: OAuth, provider: OAuthProvider, name: str, alice: User):
    finished = await signed_in(
        oauth, provider, name, return_to="/agents?x=1#y", user_id=alice.id, invite=b"sha"
    )
    account = finished.account
    assert (account.subject, account.name, account.email) == (
        "4711", "Ann Example", "ann@example.org",
    )  # fmt: skip
    assert finished[1:] == ("/agents?x=1#y", alice.id, b"sha")
    assert provider.misuse == []
    assert provider.leaks() == []
    if name == "github":
        assert (account.login, account.scopes) == ("ann", ("repo", "read:user", "user:email"))
        assert account.tokens[1:] == (None, None)
    else:
        assert account.scopes == ("openid", "email", "profile")
        assert account.tokens.refresh
        assert account.expires_at


async def test_the_page_is_asked_as_the_provider_wants(oauth: OAuth, provider: OAuthProvider):
    for name, expected in {
        "github": {"scope": "repo read:user user:email"},
        "google": {
            "scope": "openid email profile", "access_type": "offline", "prompt": "consent",
        },
    }.items():  # fmt: skip
        url, _ = await begun(oauth, name)
        asked = dict(parse_qsl(urlsplit(url).query))
        assert expected.items() <= asked.items()
        assert asked["redirect_uri"] == f"http://127.0.0.1:4321/auth/{name}/callback"
        assert asked["code_challenge_method"] == "S256"


def test_the_callback_is_at_the_public_address(settings: Settings):
    public = settings.model_copy(update={"public_url": "https://grow.example/"})
    assert redirect_uri(public, "github") == "https://grow.example/auth/github/callback"


# Attack 43: the callback without, with a foreign, a reused, an expired state.


@BOTH
async def test_a_state_that_was_not_begun_here_is_refused(
    replica: Replica, provider: OAuthProvider, clock: Clock, name: str
):
    oauth = replica()
    url, browser = await begun(oauth, name)
    back = provider.approve(url)
    for state in (None, "", "x" * 43, "\ud800", back["state"] + "x", back["state"][:-1]):
        call = oauth.finish(name, cookie=browser, **back | {"state": state})  # type: ignore[arg-type]
        assert await refusal(call) == "oauth_state"
    assert (await oauth.finish(name, cookie=browser, **back)).account.subject == "4711"
    assert await refusal(oauth.finish(name, cookie=browser, **back)) == "oauth_state"
    assert await refusal(replica().finish(name, cookie=browser, **back)) == "oauth_state"
    assert len(provider.of("/token", "/login/oauth/access_token")) == 1


async def test_of_many_who_come_back_at_once_one_gets_in(oauth: OAuth, provider: OAuthProvider):
    url, browser = await begun(oauth)
    back = provider.approve(url)
    calls = (oauth.finish("github", cookie=browser, **back) for _ in range(8))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert provider.misuse == []


async def test_the_browser_that_began_must_come_back(oauth: OAuth, provider: OAuthProvider):
    """An attacker's link makes nobody sign in as the attacker."""
    for browser in (None, "", cookie(), "\ud800"):
        url, _ = await begun(oauth)
        call = oauth.finish("github", cookie=browser, **provider.approve(url))
        assert await refusal(call) == "oauth_state"
    assert await refusal(oauth.begin("github", cookie="", return_to="/")) == "oauth_state"


async def test_after_ten_minutes_it_is_too_late(
    oauth: OAuth, provider: OAuthProvider, clock: Clock
):
    for seconds, late in ((595.0, False), (605.0, True)):
        clock.ahead = 0.0
        url, browser = await begun(oauth)
        clock.ahead = seconds
        call = oauth.finish("github", cookie=browser, **provider.approve(url))
        if late:
            assert await refusal(call) == "oauth_state"
        else:
            assert (await call).account.login == "ann"


async def test_a_state_is_of_one_provider(oauth: OAuth, provider: OAuthProvider):
    url, browser = await begun(oauth, "github")
    back = provider.approve(url)
    assert await refusal(oauth.finish("google", cookie=browser, **back)) == "oauth_state"


async def test_another_issuer_does_not_answer_for_google(oauth: OAuth, provider: OAuthProvider):
    url, browser = await begun(oauth, "google")
    back = provider.approve(url) | {"iss": "https://evil.example"}
    assert await refusal(oauth.finish("google", cookie=browser, **back)) == "oauth_state"
    assert provider.of("/token") == []


async def test_nothing_that_lets_in_is_in_the_database(
    oauth: OAuth, provider: OAuthProvider, database_url: str, alice: User
):
    url, browser = await begun(oauth)
    state = dict(parse_qsl(urlsplit(url).query))["state"]
    kept = await rows(database_url)
    finished = await oauth.finish("github", cookie=browser, **provider.approve(url))
    await oauth.keep(alice.id, "github", finished.account, OPERATOR)
    verifier = provider.of("/login/oauth/access_token")[0].body["code_verifier"]
    kept += await rows(database_url)
    for secret in (state, browser, verifier, *provider.issued):
        assert secret not in kept
        assert secret.encode().hex() not in kept


async def rows(url: str) -> str:
    import psycopg

    async with await psycopg.AsyncConnection.connect(url) as conn:
        text = ""
        for table in (b"oauth_state", b"oauth_account"):
            cursor = await conn.execute(b"select row_to_json(t)::text from " + table + b" t")
            text += str(await cursor.fetchall())
    return text


# Attack 44: a code without the verifier that asked for it.


@BOTH
async def test_a_stolen_code_is_useless_elsewhere(oauth: OAuth, provider: OAuthProvider, name: str):
    """The thief begins a sign-in of their own, and brings the victim's code back with it."""
    victims, _ = await begun(oauth, name)
    thiefs, browser = await begun(oauth, name)
    stolen = provider.approve(victims)["code"]
    back = provider.approve(thiefs) | {"code": stolen}
    assert await refusal(oauth.finish(name, cookie=browser, **back)) == "oauth_refused"
    assert provider.misuse == ["token: verifier"]


# What the provider or the person refuses.


@BOTH
async def test_a_person_may_say_no(oauth: OAuth, provider: OAuthProvider, name: str):
    url, browser = await begun(oauth, name)
    back = provider.approve(url, "deny")
    with pytest.raises(BadRequest, match="it was not allowed") as caught:
        await oauth.finish(name, code=None, cookie=browser, **back)
    assert caught.value.detail == {"code": "oauth_refused", "reason": "access_denied"}


async def test_without_a_code_nobody_comes_in(oauth: OAuth, provider: OAuthProvider):
    for code in (None, "", "x" * 5000):
        url, browser = await begun(oauth)
        back = provider.approve(url) | {"code": code}
        call = oauth.finish("github", cookie=browser, **back)  # type: ignore[arg-type]
        assert await refusal(call) == "oauth_refused"


@BOTH
async def test_a_bad_code_is_refused_and_never_repeated(
    oauth: OAuth, provider: OAuthProvider, name: str
):
    """The fake, as GitHub might, repeats the code in its own words."""
    url, browser = await begun(oauth, name)
    back = provider.approve(url) | {"code": "code_canary"}
    with capture_logs() as lines, pytest.raises(BadRequest) as caught:
        await oauth.finish(name, cookie=browser, **back)
    assert caught.value.detail["code"] == "oauth_refused"
    assert "code_canary" not in f"{caught.value.message}{caught.value.detail}{lines}"


async def test_an_error_of_no_known_name_is_not_repeated(oauth: OAuth, provider: OAuthProvider):
    url, browser = await begun(oauth)
    back = provider.approve(url)
    call = oauth.finish(
        "github", code=None, state=back["state"], cookie=browser, error="<script>gho_canary"
    )
    with pytest.raises(BadRequest) as caught:
        await call
    assert "canary" not in f"{caught.value.message}{caught.value.detail}"


@BOTH
async def test_a_wrong_secret_names_what_to_mend(
    replica: Replica, provider: OAuthProvider, name: str
):
    oauth = replica()
    provider.client_secret = "another"
    with pytest.raises(BadRequest, match="client id and secret"):
        await signed_in(oauth, provider, name)


# Whose address it is.


async def test_a_private_address_is_found_and_an_unverified_one_is_none(
    oauth: OAuth, provider: OAuthProvider
):
    provider.person.others = [
        {"email": "old@example.org", "primary": False, "verified": True},
        {"email": "liar@example.org", "primary": "yes", "verified": True},
        {"email": "odd@example.org", "primary": True, "verified": "no"},
    ]
    for name in ("github", "google"):
        provider.person.verified = True
        assert (await signed_in(oauth, provider, name)).account.email == "ann@example.org"
        provider.person.verified = False
        assert (await signed_in(oauth, provider, name)).account.email is None


async def test_without_the_right_to_read_addresses_there_is_none(
    oauth: OAuth, provider: OAuthProvider
):
    for mode in ("forbidden", ""):
        provider.modes["/user/emails"] = mode
        url, browser = await begun(oauth)
        narrower = url.replace("user%3Aemail", "gist")
        assert narrower != url
        finished = await oauth.finish("github", cookie=browser, **provider.approve(narrower))
        assert finished.account.email is None
        assert finished.account.scopes == ("repo", "read:user", "gist")


async def test_a_person_without_a_name_has_a_login(oauth: OAuth, provider: OAuthProvider):
    provider.person.name = None
    assert (await signed_in(oauth, provider)).account.name == "ann"
    assert (await signed_in(oauth, provider, "google")).account.name == "ann@example.org"


# A provider in trouble.

PATHS = {
    "github": ("/login/oauth/access_token", "/user", "/user/emails"),
    "google": ("/token", "/userinfo", "/.well-known/openid-configuration"),
}
MODES = ("down", "cut", "html", "list", "wrong", "nested", "huge", "packed", "redirect")


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, paths in PATHS.items() for path in paths]
)
async def test_a_provider_in_trouble_is_away(
    oauth: OAuth, provider: OAuthProvider, name: str, path: str
):
    for mode in MODES:
        provider.modes[path] = mode
        with pytest.raises(Unavailable) as caught:
            await signed_in(oauth, provider, name)
        assert caught.value.message.startswith(f"{oauth.titles[name]} does not answer"), mode
        assert provider.client_secret not in str(caught.value)
    provider.modes.clear()
    assert (await signed_in(oauth, provider, name)).account.subject == "4711"


@pytest.mark.parametrize("mode", ["slow 5", "drip"])
async def test_a_provider_that_says_too_little_is_given_up_in_time(
    replica: Replica, provider: OAuthProvider, monkeypatch: pytest.MonkeyPatch, mode: str
):
    from growqr.identity.oauth import wire

    assert wire.TIMEOUT == 10.0
    monkeypatch.setattr(wire, "TIMEOUT", 0.3)
    provider.modes["/user"] = mode
    with pytest.raises(Unavailable, match=r"no answer within 0\.3 s"):
        await signed_in(replica(), provider)


async def test_a_provider_that_is_not_there(replica: Replica):
    oauth = replica(google_issuer="http://127.0.0.1:1", github_url="http://127.0.0.1:1")
    assert "http://127.0.0.1:1/login/oauth/authorize?" in (await begun(oauth))[0]
    with pytest.raises(Unavailable, match="no connection"):
        await begun(oauth, "google")


@pytest.mark.parametrize(
    "endpoints",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"},
     {"userinfo_endpoint": "file:///etc/passwd"}, {"authorization_endpoint": "javascript:x()"},
     {"token_endpoint": "https://user@evil.example/"}],
)  # fmt: skip
async def test_a_discovery_document_that_leads_away_is_not_followed(
    oauth: OAuth, provider: OAuthProvider, endpoints: dict[str, str]
):
    provider.endpoints = endpoints
    with pytest.raises(Unavailable):
        await begun(oauth, "google")


async def test_the_discovery_document_is_asked_for_once(oauth: OAuth, provider: OAuthProvider):
    await asyncio.gather(*(begun(oauth, "google") for _ in range(5)))
    await signed_in(oauth, provider, "google")
    assert len(provider.of("/.well-known/openid-configuration")) == 1
