"""Roles: there is always an admin, and never two firsts."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from growqr.errors import Conflict, NotFound
from growqr.store import OPERATOR, Browser, Limits, Store, User
from tests.conftest import new_user
from tests.rows import rows

pytestmark = pytest.mark.anyio


async def admins(store: Store) -> list[str]:
    everybody = await store.users.list(limit=100)
    return [one.id for one in everybody if one.role == "admin" and one.suspended_at is None]


async def test_of_twenty_who_come_first_at_once_one_is_the_admin(
    store: Store, database_url: str
) -> None:
    async with Store(database_url, 8) as second:
        came = await asyncio.gather(
            *(new_user(where, f"n{n}") for n in range(10) for where in (store, second))
        )
    assert len(came) == len(await store.users.list(limit=100)) == 20
    [admin] = await admins(store)
    assert await rows(database_url, "select first_user from org") == [(admin,)]


async def test_the_first_one_stays_the_first(store: Store, alice: User, bob: User) -> None:
    assert (alice.role, bob.role) == ("admin", "member")
    again = await store.users.ensure(alice.id, issuer="i", subject="s", name="n")
    assert again == alice


async def test_the_last_admin_stays_one(store: Store, alice: User, bob: User) -> None:
    with pytest.raises(Conflict, match="last admin"):
        await store.users.change(alice.id, OPERATOR, role="member")
    with pytest.raises(Conflict, match="last admin"):
        await store.users.change(alice.id, OPERATOR, suspended=True)
    with pytest.raises(Conflict, match="last admin"):
        await store.users.change(alice.id, OPERATOR, role="admin", suspended=True)
    assert await admins(store) == [alice.id]
    await store.users.change(bob.id, OPERATOR, role="admin")
    await store.users.change(bob.id, OPERATOR, suspended=True)
    with pytest.raises(Conflict):  # an admin who may not come in is none
        await store.users.change(alice.id, OPERATOR, role="member")
    await store.users.change(bob.id, OPERATOR, suspended=False)
    assert (await store.users.change(alice.id, OPERATOR, role="member")).role == "member"
    assert await admins(store) == [bob.id]


async def test_two_admins_who_demote_each_other_leave_one(
    store: Store, database_url: str, alice: User, bob: User
) -> None:
    async with Store(database_url, 4) as second:
        for how in ({"role": "member"}, {"suspended": True}) * 3:
            for one in (alice, bob):
                await rows(
                    database_url,
                    "update users set role = 'admin', suspended_at = null where id = %s", one.id,
                )  # fmt: skip
            outcomes = await asyncio.gather(
                store.users.change(alice.id, OPERATOR, **how),
                second.users.change(bob.id, OPERATOR, **how),
                return_exceptions=True,
            )
            refused = [one for one in outcomes if isinstance(one, BaseException)]
            assert [type(one) for one in refused] == [Conflict]
            assert len(await admins(store)) == 1


async def test_whoever_is_suspended_is_signed_out_and_known_as_such(
    store: Store, database_url: str, alice: User, bob: User
) -> None:
    for user in (alice, bob):
        kept = Browser(secrets.token_bytes(32), "", 60)
        await store.sign_ins.begin(user.id, "token", kept, OPERATOR)
    suspended = await store.users.change(bob.id, OPERATOR, suspended=True)
    assert suspended.suspended_at is not None
    again = await store.users.change(bob.id, OPERATOR, suspended=True)
    assert again.suspended_at == suspended.suspended_at
    assert await store.sign_ins.list(bob.id) == []
    assert len(await store.sign_ins.list(alice.id)) == 1
    found = await store.admissions.token(bob.id, Limits(0, 0))
    assert found is not None
    assert found.suspended
    back = await store.users.change(bob.id, OPERATOR, suspended=False)
    assert back == bob


async def test_nobody_can_be_changed_who_is_not_there(store: Store, alice: User) -> None:
    with pytest.raises(NotFound):
        await store.users.change("u_nobody", OPERATOR, role="admin")
    assert await store.users.change(alice.id, OPERATOR) == alice
