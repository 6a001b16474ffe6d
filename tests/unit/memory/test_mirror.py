"""Whatever happens to a Gitea, it ends up with our repositories under the same commit ids."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import aiohttp
import psycopg
import pytest
from pydantic import SecretStr

from growqr import names
from growqr.config import Settings
from growqr.errors import InstanceError, Unavailable
from growqr.memory import Login, Mirror, login
from growqr.memory.gitea import Gitea, by_password, by_token
from growqr.memory.servers import email_of
from growqr.store import Store, User
from tests.fakes.gitea.serving import GiteaRuntime
from tests.gits import bare, commit, git, own_refs, refs, signed_in
from tests.mirrors import MINE, Place, at_work, done, place, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(store: Store, data: Path, runtime: GiteaRuntime) -> Place:
    """A server for each user."""
    settings = Settings(data=data, lease_ttl=2.0, gitea="per_user", runtime="docker")
    return place(store, settings, runtime)


@pytest.fixture
async def shared(store: Store, data: Path, runtime: GiteaRuntime, admin: tuple[str, str]) -> Place:
    """One server for all."""
    settings = Settings(
        data=data, lease_ttl=2.0, gitea="shared", gitea_url=admin[0], gitea_token=admin[1]
    )
    return place(store, settings, runtime)


async def test_memory_and_projects_arrive_on_a_server_made_from_nothing(
    own: Place, alice: User
) -> None:
    await own.write(alice, "one", "two", "three")
    project = await own.project(alice, "site", "begin", "more")
    git(project, "branch", "draft/idea", "main~1")
    git(project, "tag", "v1", "main")
    async with at_work(own):
        await own.in_step(alice)
        found = await own.in_step(alice, "site")
        assert set(found) == {"refs/heads/main", "refs/heads/draft/idea", "refs/tags/v1"}
        tip = commit(project, "hinted")
        own.store.notifier.work(names.mirror(alice.id))
        assert (await own.in_step(alice, "site"))["refs/heads/main"] == tip
        await own.write(alice, "four")
        await own.in_step(alice)


async def test_no_secret_is_in_an_argv_and_the_container_is_asked_once(
    own: Place, alice: User
) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        key = await own.key(alice)
        assert key
        commands = own.runtime.commands
        assert [words[3] for words in commands] == ["create", "generate-access-token"]
        assert key.password not in " ".join(" ".join(words) for words in commands)
        assert await done(own, alice)
        tokens = await tokens_of(key)
    again = place(own.store, own.settings, own.runtime)  # a Host that has just been started
    await own.write(alice, "two")
    assert await done(again, alice)
    assert own.runtime.commands == commands
    assert len(await tokens_of(key)) == 1
    assert set(await tokens_of(key)).isdisjoint(tokens)


async def test_a_token_of_the_users_own_stays(own: Place, alice: User) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        key = await own.key(alice)
        assert key
        async with aiohttp.ClientSession() as http:
            user = Gitea(key.url, http, by_password(key.name, key.password))
            await user.mint(key.name, "laptop", ["read:repository"])
            former = await user.tokens(key.name)
            await user.delete_token(key.name, next(n for t, n in former.items() if t != "laptop"))
        await own.write(alice, "two")  # with a token that opens nothing any more
        await own.in_step(alice)
        assert "laptop" in await tokens_of(key)


async def tokens_of(key: Login) -> dict[str, int]:
    async with aiohttp.ClientSession() as http:
        return await Gitea(key.url, http, by_password(key.name, key.password)).tokens(key.name)


async def test_an_idle_user_has_no_server(own: Place, alice: User, bob: User) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        assert await done(own, alice)
        assert await own.mirror.mirror(bob.id)
        assert await own.seen(bob) is None
        await own.store.services.want(alice.id, "gitea", "stopped")

        async def stopped() -> bool:
            service = await own.seen(alice)
            return bool(service and service.state == "stopped")

        await until(stopped)
        again = place(own.store, own.settings, own.runtime)
        assert await again.mirror.mirror(alice.id)  # all is there: nothing to start it for
        assert await stopped()
        await own.write(alice, "two")
        await own.in_step(alice)


async def test_a_removed_folder_is_filled_again_under_load(own: Place, alice: User) -> None:
    await own.write(alice, "one", "two")
    project = await own.project(alice, "site", "begin")
    async with at_work(own):
        await own.in_step(alice)
        await own.in_step(alice, "site")
        former = own_refs(own.memory(alice))
        writing = asyncio.create_task(own.write(alice, *(f"more-{n}" for n in range(40))))
        await asyncio.to_thread(shutil.rmtree, own.settings.gitea_folder(alice.id))
        await writing
        commit(project, "after")
        own.store.notifier.work(names.mirror(alice.id))
        await own.in_step(alice)
        await own.in_step(alice, "site")
        tip = own_refs(own.memory(alice))["refs/heads/main"]
        git(own.memory(alice), "merge-base", "--is-ancestor", former["refs/heads/main"], tip)
        service = await own.seen(alice)
        assert service
        assert service.generation > 1


async def test_repositories_alone_can_be_lost(own: Place, alice: User) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        kept = own.settings.gitea_database(alice.id)
        await asyncio.to_thread(shutil.rmtree, kept.with_name("repositories"))
        await own.write(alice, "two")
        await own.in_step(alice)
        service = await own.seen(alice)
        assert service
        assert service.generation == 1


async def test_a_folder_removed_at_rest_is_filled_at_the_next_start(
    own: Place, alice: User
) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        await own.runtime.stop(names.service("gitea", alice.id))
        await asyncio.to_thread(shutil.rmtree, own.settings.gitea_folder(alice.id))
        own.store.notifier.work(names.stack(alice.id))
        await own.in_step(alice)


async def test_what_somebody_else_pushed_is_set_aside(
    own: Place, alice: User, tmp_path: Path
) -> None:
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        key = await own.key(alice)
        assert key
        foreign = bare(tmp_path / "foreign.git", "not ours")
        url = f"{key.url}/{key.name}/{MINE}.git"

        async def forced() -> bool:
            with suppress(subprocess.CalledProcessError):
                return not signed_in(key, "push", "--quiet", "--force", url, "main", folder=foreign)
            return False

        await until(forced)
        theirs = own_refs(foreign)["refs/heads/main"]
        await own.write(alice, "two")
        found = await own.in_step(alice)
        assert found[f"refs/heads/set-aside-{theirs[:10]}"] == theirs


async def test_a_moved_tag_and_a_rewritten_branch_follow(own: Place, alice: User) -> None:
    project = await own.project(alice, "site", "begin")
    git(project, "tag", "latest", "main")
    async with at_work(own):
        former = await own.in_step(alice, "site")
        commit(project, "another beginning", root=True)
        git(project, "tag", "--force", "latest", "main")
        own.store.notifier.work(names.mirror(alice.id))
        found = await own.in_step(alice, "site")
        kept = {name: made for name, made in found.items() if "set-aside" in name}
        assert set(kept.values()) == set(former.values())


async def test_a_branch_that_was_removed_here_goes_there_and_no_other(
    own: Place, alice: User, tmp_path: Path
) -> None:
    project = await own.project(alice, "site", "begin")
    for name in ("a", "old"):
        git(project, "branch", name, "main")
    git(project, "tag", "v0", "main")
    async with at_work(own):
        await own.in_step(alice, "site")
        key = await own.key(alice)
        assert key
        foreign = bare(tmp_path / "foreign.git", "not ours")
        url = f"{key.url}/{key.name}/site.git"
        theirs = own_refs(foreign)["refs/heads/main"]
        signed_in(key, "push", "--quiet", url, "main:theirs", "main:place", folder=foreign)

        git(project, "branch", "-D", "a", "old")
        git(project, "tag", "-d", "v0")
        git(project, "branch", "a/b", "main")
        git(project, "branch", "place/taken", "main")
        own.store.notifier.work(names.mirror(alice.id))
        await own.in_step(alice, "site")

        kept = {"refs/heads/theirs": theirs, f"refs/heads/set-aside-{theirs[:10]}": theirs}
        found = await asyncio.to_thread(refs, key, key.name, "site")
        assert found == own_refs(project) | kept


async def test_a_branch_that_the_server_keeps_stops_no_push(own: Place, alice: User) -> None:
    """As its default branch."""
    project = await own.project(alice, "site", "begin")
    async with at_work(own):
        await own.in_step(alice, "site")
        git(project, "branch", "-m", "main", "trunk")
        commit(project, "more", "trunk")
        own.store.notifier.work(names.mirror(alice.id))
        found = await own.in_step(alice, "site")
        assert "refs/heads/main" in found


async def test_a_broken_repository_over_there_is_made_anew(own: Place, alice: User) -> None:
    """Its server says that it is there, and takes no push."""
    await own.write(alice, "one")
    async with at_work(own):
        await own.in_step(alice)
        kept = own.settings.gitea_database(alice.id).with_name("repositories")
        (broken,) = await asyncio.to_thread(lambda: list(kept.glob(f"*/{MINE}.git")))
        await asyncio.to_thread((broken / "HEAD").unlink)
        await own.write(alice, "two")
        await own.in_step(alice)


async def test_what_was_pushed_while_no_hint_came_through_is_found_at_once(
    own: Place, alice: User, database_url: str
) -> None:
    project = await own.project(alice, "site", "begin")
    async with at_work(own):
        await own.in_step(alice, "site")
        commit(project, "unheard")
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
            await conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'growqr listen'"
            )
        await own.in_step(alice, "site")


async def test_the_way_in_opens_even_after_the_password_was_changed(
    own: Place, alice: User
) -> None:
    async with at_work(own):
        key = await own.login(alice)
        assert "password=…" in repr(key)
        assert key.password not in repr(key)
        async with aiohttp.ClientSession() as http:
            user = Gitea(key.url, http, by_password(key.name, key.password))
            assert await user.email() == email_of(alice.id)
            await user.set_password(key.name, "my-Own-pass-77")
            assert await user.email() is None
            assert await own.login(alice) == key
            assert await user.email() == email_of(alice.id)

            async def there() -> bool:
                return await user.has_repository(key.name, MINE)

            await until(there)


async def test_a_server_that_never_comes_keeps_nobody_waiting(
    own: Place, alice: User, bob: User
) -> None:
    await own.store.services.want(bob.id, "gitea", "ready")
    await own.write(bob, "one")
    await own.write(alice, "one")
    working, own.runtime.broken = own.runtime.broken, {names.service("gitea", bob.id)}
    async with at_work(own):
        await own.in_step(alice)
        own.runtime.broken = working
        await own.store.services.want(bob.id, "gitea", "ready", again=True)
        await own.in_step(bob)


async def test_users_of_a_shared_server_do_not_see_each_other(
    shared: Place, alice: User, bob: User
) -> None:
    await shared.write(alice, "one", "two")
    await shared.write(bob, "three")
    await shared.project(bob, "site", "begin")
    async with at_work(shared):
        keys = [await shared.login(user) for user in (alice, bob)]
        await shared.in_step(alice)
        await shared.in_step(bob)
        await shared.in_step(bob, "site")
        assert keys[1].password != keys[0].password
        for reader, owner, repos in (
            (keys[0], keys[1], (MINE, "site")),
            (keys[1], keys[0], (MINE,)),
        ):
            for repo in repos:
                assert refs(owner, owner.name, repo)
                with pytest.raises(subprocess.CalledProcessError):
                    refs(reader, owner.name, repo)
                with pytest.raises(subprocess.CalledProcessError):
                    signed_in(reader, "push", f"{owner.url}/{owner.name}/{repo}.git", "main:mine",
                              folder=shared.memory(alice))  # fmt: skip
                async with aiohttp.ClientSession() as http:
                    user = Gitea(reader.url, http, by_password(reader.name, reader.password))
                    assert not await user.has_repository(owner.name, repo)


async def test_somebody_elses_account_is_not_used(
    shared: Place, alice: User, http: aiohttp.ClientSession
) -> None:
    await shared.write(alice, "one")
    assert shared.settings.gitea_url
    assert shared.settings.gitea_token
    operator = by_token(shared.settings.gitea_token.get_secret_value())
    account = names.gitea_account(alice.id)
    gitea = Gitea(shared.settings.gitea_url, http, operator)
    await gitea.create_account(account, f"{account}@elsewhere.invalid", "a-long-Password-1")
    with pytest.raises(InstanceError, match="somebody else's"):
        await shared.mirror.mirror(alice.id)
    assert not await gitea.has_repository(account, MINE)


async def test_from_a_server_of_ones_own_to_the_shared_one_history_goes_along(
    own: Place, shared: Place, alice: User
) -> None:
    await own.write(alice, "one", "two")
    async with at_work(own):
        before = await own.in_step(alice)
    async with at_work(shared):
        await shared.login(alice)
        assert (await shared.in_step(alice)).items() >= before.items()
    async with at_work(own):
        await own.write(alice, "three")
        await own.in_step(alice)


async def test_a_shared_server_that_is_away_is_waited_for(
    shared: Place, store: Store, alice: User
) -> None:
    await shared.write(alice, "one")
    away = shared.settings.model_copy(update={"gitea_url": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable, match="cannot be reached"):
        await place(store, away, shared.runtime).mirror.mirror(alice.id)
    wrong = shared.settings.model_copy(update={"gitea_token": SecretStr("0" * 40)})
    with pytest.raises((InstanceError, Unavailable), match="401"):
        await place(store, wrong, shared.runtime).mirror.mirror(alice.id)
    assert await shared.mirror.mirror(alice.id)


async def test_off_means_that_nothing_runs(store: Store, data: Path, alice: User) -> None:
    settings = Settings(data=data, lease_ttl=2.0)
    mirror = Mirror(store, settings, None, "host:test")
    await mirror.run()
    assert await mirror.mirror(alice.id)
    with pytest.raises(InstanceError, match="GROWQR_GITEA"):
        await login(store, settings, None, alice.id)


@pytest.mark.parametrize(
    ("user_id", "account"),
    [("u_alice", "u_alice"), ("u_a-b", "u_a-b"), ("u_a--b", None), ("u_-a", None), ("u_a-", None)],
)
def test_accounts_have_names_that_gitea_accepts(user_id: str, account: str | None) -> None:
    named = names.gitea_account(user_id)
    assert named == account or (account is None and named.startswith("u-") and len(named) == 22)
    assert names.gitea_repo("site") == "site"
    assert (
        len({names.gitea_repo(name) for name in (MINE, "site.wiki", "site", "a.rss")} | {MINE}) == 5
    )
