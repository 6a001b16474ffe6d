"""Signing in by a provider: ways back that nobody began, codes of others, tokens in addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest

from growqr.config import Settings
from growqr.errors import SecretUnreadable
from growqr.store import OPERATOR, Store, User
from tests.attack.house import House, house
from tests.attack.things import dump
from tests.fakes.oauth_provider import OAuthProvider
from tests.rows import rows

pytestmark = pytest.mark.anyio

BACK = "/auth/github/callback"


@pytest.fixture
def github() -> Iterator[OAuthProvider]:
    with OAuthProvider() as running:
        yield running


@pytest.fixture
async def ours(
    settings: Settings, store: Store, alice: User, github: OAuthProvider
) -> AsyncIterator[House]:
    """An instance that GitHub is a way into. Alice was here first."""
    fields = settings.model_dump() | github.settings()
    async with house(Settings.model_validate(fields), store) as made:
        yield made


async def leave(browser: httpx.AsyncClient) -> str:
    """The address at the provider that this browser is sent to."""
    answer = await browser.get("/auth/github", params={"return_to": "/app"})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def signed_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/auth/me")).status_code == 200


async def test_43_ways_back_that_this_browser_did_not_begin(
    ours: House, github: OAuthProvider, database_url: str
) -> None:
    browser, other = await ours.stranger(), await ours.stranger()
    given = github.approve(await leave(browser))
    theirs = github.approve(await leave(other))
    nobody = await ours.stranger()
    for who, query in (
        (browser, {}),
        (browser, {"code": given["code"]}),
        (browser, {"code": given["code"], "state": "x" * 43}),
        (browser, {"code": theirs["code"], "state": theirs["state"]}),
        (nobody, given),
        (browser, {"state": given["state"], "error": "access_denied"}),
    ):
        answer = await who.get(BACK, params=query)
        assert answer.status_code == 400, answer.text
        assert not await signed_in(who)
    late = await ours.stranger()
    given = github.approve(await leave(late))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("update oauth_state set expires_at = now() - interval '1 second'")
    assert (await late.get(BACK, params=given)).status_code == 400
    assert not await signed_in(late)


async def test_43_a_way_back_is_good_once_twin(ours: House, github: OAuthProvider) -> None:
    browser = await ours.stranger()
    given = github.approve(await leave(browser))
    answer = await browser.get(BACK, params=given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")
    assert (await browser.get("/auth/me")).json()["providers"] == ["github"]
    again = await browser.get(BACK, params=given)
    assert again.status_code == 400


async def test_a_cookie_that_was_signed_out_elsewhere_is_in_nobodys_way(
    ours: House, github: OAuthProvider, alice: User
) -> None:
    browser = await ours.browser(alice)
    [here] = (await browser.get("/auth/sign-ins")).json()["data"]
    her = await ours.person(alice)
    assert (await her.delete(f"/auth/sign-ins/{here['id']}")).status_code == 204
    assert not await signed_in(browser)
    answer = await browser.get(BACK, params=github.approve(await leave(browser)))
    assert answer.status_code == 303, answer.text
    assert (await browser.get("/auth/me")).json()["user"]["id"] != alice.id


async def test_44_a_code_without_its_verifier(ours: House, github: OAuthProvider) -> None:
    """The thief has the code and a way of their own: the provider wants the verifier that fits."""
    victim, thief = await ours.stranger(), await ours.stranger()
    stolen = github.approve(await leave(victim))
    own = github.approve(await leave(thief))
    answer = await thief.get(BACK, params={"code": stolen["code"], "state": own["state"]})
    assert answer.status_code == 400, answer.text
    assert not await signed_in(thief)
    assert github.misuse
    fresh = github.approve(await leave(victim))
    assert (await victim.get(BACK, params=fresh)).status_code == 303
    assert await signed_in(victim)


async def test_46_tokens_are_in_no_address_and_no_referrer(
    ours: House, github: OAuthProvider
) -> None:
    browser = await ours.stranger()
    given = github.approve(await leave(browser))
    answer = await browser.get(BACK, params=given)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert github.issued
    shown = f"{answer.headers} {answer.text}"
    assert not [token for token in github.issued if token in shown]
    assert github.leaks() == []
    assert await signed_in(browser)


async def test_48_sealed_tokens_that_were_swapped_do_not_open(
    ours: House, github: OAuthProvider, database_url: str
) -> None:
    oauth = ours.apps[0].state.context.oauth
    people = []
    for number in (1, 2):
        github.person.id, github.person.login = number, f"person-{number}"
        browser = await ours.stranger()
        answer = await browser.get(BACK, params=github.approve(await leave(browser)))
        assert answer.status_code == 303, answer.text
        people.append((await browser.get("/auth/me")).json()["user"]["id"])
    one, two = [await oauth.access_token(person, "github") for person in people]
    assert one != two
    assert one in github.issued
    text = await dump(database_url)
    assert not [token for token in github.issued if token in text]
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute(
            "update oauth_account a set tokens = b.tokens from oauth_account b"
            " where a.user_id <> b.user_id"
        )
    for person in people:
        with pytest.raises(SecretUnreadable):
            await oauth.access_token(person, "github")


async def test_whoever_was_signed_out_or_suspended_meanwhile_links_nothing(
    ours: House, github: OAuthProvider, store: Store, alice: User, bob: User
) -> None:
    """A link begun in a stolen sign-in would be a way in that outlives its end."""
    thief = await ours.browser(alice)
    [here] = (await thief.get("/auth/sign-ins")).json()["data"]
    given = github.approve(await leave(thief))
    her = await ours.person(alice)
    assert (await her.delete(f"/auth/sign-ins/{here['id']}")).status_code == 204
    refused = await thief.get(BACK, params=given)
    assert refused.status_code == 400
    assert "oauth_state" in refused.text
    other = await ours.browser(bob)
    given = github.approve(await leave(other))
    for suspended in (True, False):
        await store.users.change(bob.id, OPERATOR, suspended=suspended)
    assert (await other.get(BACK, params=given)).status_code == 400
    assert [await store.oauth.list(user.id) for user in (alice, bob)] == [[], []]


async def test_another_sign_in_of_the_same_browser_does_not_link_for_the_first(
    ours: House, github: OAuthProvider, store: Store, alice: User, bob: User
) -> None:
    browser, his = await ours.browser(alice), await ours.browser(bob)
    given = github.approve(await leave(browser))
    browser.cookies.update(his.cookies)
    assert (await browser.get("/auth/me")).json()["user"]["id"] == bob.id
    assert (await browser.get(BACK, params=given)).status_code == 400
    assert [await store.oauth.list(user.id) for user in (alice, bob)] == [[], []]


async def test_a_sign_in_that_lasts_links_twin(
    ours: House, github: OAuthProvider, store: Store, alice: User
) -> None:
    browser = await ours.browser(alice)
    answer = await browser.get(BACK, params=github.approve(await leave(browser)))
    assert answer.status_code == 303, answer.text
    [linked] = await store.oauth.list(alice.id)
    assert linked.provider == "github"


@pytest.mark.parametrize("how", ["suspended", "signed out everywhere"])
async def test_ways_to_a_provider_end_with_the_sign_ins(
    ours: House, store: Store, database_url: str, alice: User, bob: User, how: str
) -> None:
    for user in (alice, bob):
        await leave(await ours.browser(user))
    await leave(await ours.stranger())
    if how == "suspended":
        await store.users.change(bob.id, OPERATOR, suspended=True)
    else:
        await store.sign_ins.end_all(bob.id, OPERATOR)
    left = await rows(database_url, "select user_id from oauth_state order by user_id")
    assert left == [(alice.id,), (None,)]


async def entered(ours: House, github: OAuthProvider, number: int) -> httpx.AsyncClient:
    """A browser that came by this account."""
    github.person.id, github.person.login = number, f"person-{number}"
    browser = await ours.stranger()
    browser.headers["Origin"] = ours.urls[0]
    await browser.get(BACK, params=github.approve(await leave(browser)))
    return browser


async def test_an_account_that_was_replaced_or_unlinked_opens_its_user_no_more(
    ours: House, github: OAuthProvider, store: Store
) -> None:
    browser = await entered(ours, github, 1)
    person = (await browser.get("/auth/me")).json()["user"]["id"]
    last = await browser.delete("/auth/providers/github")
    assert (last.status_code, last.json()["code"]) == (409, "last_way_in")
    assert await signed_in(await entered(ours, github, 1)), "nothing was unlinked"
    github.person.id = 2
    linked = await browser.get(BACK, params=github.approve(await leave(browser)))
    assert linked.status_code == 303, linked.text
    assert not await signed_in(await entered(ours, github, 1))
    other = await entered(ours, github, 2)
    assert (await other.get("/auth/me")).json()["user"]["id"] == person
    github.person.id = 1
    again = await browser.get(BACK, params=github.approve(await leave(browser)))
    assert again.status_code == 303
    assert await signed_in(await entered(ours, github, 1)), "whoever is signed in may link it anew"
    made = await store.audit.list(limit=9, who=person, what="provider.")
    assert [entry.action for entry in made] == ["provider.linked"] * 2


async def test_whoever_has_another_way_in_may_unlink_twin(
    ours: House, github: OAuthProvider, alice: User
) -> None:
    browser = await ours.browser(alice)
    await browser.get(BACK, params=github.approve(await leave(browser)))
    assert (await browser.delete("/auth/providers/github")).status_code == 204
    assert (await browser.get("/auth/me")).json()["providers"] == []
