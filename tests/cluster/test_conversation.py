"""A conversation through ingress, actor, gateway, SDK and git."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

from growqr import names
from tests.fakes.messages_api import MessagesApi
from tests.instance_fixtures import CANARY
from tests.instances import Instance, processes_of


def test_what_is_remembered_is_a_commit_and_is_found_again(instance: Instance):
    anna = instance.person()
    anna.ask("remember that the launch is on Friday")
    repository = instance.settings.repositories / f"{names.local_user_id(anna.name)}.git"
    shown = subprocess.run(
        ["git", "-C", str(repository), "log", "-p", "-1"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    ).stdout
    assert "Friday" in shown.splitlines()[-1]
    assert "Friday" in anna.ask("what do you remember about the launch?")
    [file] = anna.get("/memory")["data"]
    assert file["commit"] in shown


def test_tools_of_one_reply_all_run_and_the_model_sees_their_results(instance: Instance):
    anna = instance.person()
    turn = anna.ended(
        anna.say(
            '[[tools commit_memory {"path": "a.md", "content": "one"} ;'
            ' commit_memory {"path": "b.md", "content": "two"} ; read_memory {"path": "none.md"}]]'
        )
    )
    assert turn["state"] == "completed", turn
    steps = [(s["name"], s["state"]) for s in turn["steps"] if s["kind"] == "tool"]
    assert sorted(steps) == [
        ("commit_memory", "done"),
        ("commit_memory", "done"),
        ("read_memory", "failed"),
    ]
    assert [f["path"] for f in anna.get("/memory")["data"]] == ["a.md", "b.md"]
    assert turn["usage"]["calls"] == 2


def test_a_model_that_refuses_ends_the_turn_with_a_reason_and_the_next_works(instance: Instance):
    anna = instance.person()
    turn = anna.ended(anna.say("[[status 401 1]]"))
    assert turn["state"] == "failed"
    assert "key" in turn["error"]["message"]
    assert CANARY not in str(turn)
    assert anna.ask("hello")


def test_the_provider_key_is_in_no_environment_and_no_log(
    instance: Instance, messages_api: MessagesApi
):
    instance.person().ask("hello")
    assert messages_api.requests[-1].headers["x-api-key"] == CANARY
    processes = processes_of(instance)
    assert len(processes) > 10, "the instance's processes were not found"
    for process in processes:
        assert CANARY.encode() not in process.environment, process.title
        assert CANARY not in process.title
    for file in (instance.data / "logs").rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file
    holders = [
        file.name
        for file in instance.data.iterdir()
        if file.is_file() and CANARY.encode() in file.read_bytes()
    ]
    assert holders == ["secrets.env"]
    assert (instance.data / "secrets.env").stat().st_mode & 0o077 == 0


def test_twenty_users_see_nothing_of_each_other(instance: Instance):
    people = [instance.person() for _ in range(20)]
    words = {p.name: f"word{p.name.replace('-', '')}" for p in people}
    turns: dict[str, str] = {}

    def plant(person) -> None:
        turns[person.name] = person.say(f"remember that my secret is {words[person.name]}")
        person.ended(turns[person.name], 120)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(plant, people))

    def search(person) -> None:
        own = words[person.name]
        seen = str(person.journal()) + "".join(
            str(person.http.get(path).json())
            for path in (
                "/users/me",
                "/actors/me",
                "/threads",
                "/memory",
                f"/memory-search?q={' '.join(words.values())}",
                f"/turns/{turns[person.name]}",
                f"/threads/{person.get('/threads')['data'][0]['id']}/messages",
            )
        )
        assert own in seen
        assert not [w for w in words.values() if w != own and w in seen]
        other = next(p for p in people if p is not person)
        thread = other.get("/threads")["data"][0]["id"]
        for path in (
            f"/turns/{turns[other.name]}",
            f"/threads/{thread}",
            f"/threads/{thread}/messages",
            f"/threads/{thread}/events",
            f"/actors/{names.local_user_id(other.name)}",
            f"/actors/{names.local_user_id(other.name)}/events",
        ):
            assert person.http.get(path).status_code == 404, path

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(search, people))
