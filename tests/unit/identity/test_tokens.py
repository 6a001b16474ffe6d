"""Tokens inside: made for one epoch or generation, useless when anything in them is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from growqr.config import Settings
from growqr.directory import Fence
from growqr.errors import InstanceError, Unauthorized
from growqr.identity import (
    Bearer,
    agent_token,
    instance_secret,
    read_token,
    service_password,
    stack_of,
    stack_token,
)

SECRET = bytes(range(32))
FENCE = Fence("grow-agent:u_alice", 7)


def test_token_carries_its_fence() -> None:
    assert read_token(SECRET, agent_token(SECRET, FENCE)) == FENCE


def test_every_single_change_is_refused() -> None:
    token = agent_token(SECRET, FENCE)
    for place in range(len(token)):
        for other in ("x", "1", ".", ""):
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises(Unauthorized):
                    read_token(SECRET, changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gqm...",
        "gqm.grow-agent:u_alice.7.",
        "gqm.grow-agent:u_alice.-7." + "A" * 43,
        "gqm.grow-agent:u_alice.\u0667." + "A" * 43,
        agent_token(SECRET, FENCE) + "\n",
        agent_token(SECRET, FENCE).replace(".7.", ".07."),
        agent_token(b"another secret", FENCE),
    ],
)
def test_malformed_or_foreign_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        read_token(SECRET, text)


def test_secret_is_read_from_its_file(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path})
    with pytest.raises(InstanceError, match=r"instance\.key"):
        instance_secret(settings)
    settings.secrets.mkdir()
    (settings.secrets / "instance.key").write_text(SECRET.hex() + "\n")
    assert instance_secret(settings) == SECRET
    (settings.secrets / "instance.key").write_text("abcd")
    with pytest.raises(InstanceError, match="32 bytes"):
        instance_secret(settings)


def test_a_stacks_token_names_its_service_and_an_agents_none() -> None:
    token = stack_token(SECRET, "u_alice", "opencode", 4)
    assert stack_of(read_token(SECRET, token)) == Bearer("u_alice", "opencode", 4)
    for key in ("grow-agent:u_alice", "stack:u_alice", "sub-agent:u_alice:coding-1"):
        assert stack_of(Fence(key, 4)) is None


def test_a_service_password_is_of_one_service_of_one_generation() -> None:
    of = [("u_a", "opencode", 1), ("u_a", "opencode", 2), ("u_a", "gitea", 1), ("u_b", "gitea", 1)]
    made = [service_password(SECRET, *service) for service in of]
    assert made == [service_password(SECRET, *service) for service in of]
    assert len(set(made)) == len(of)
    assert service_password(b"another secret", *of[0]) != made[0]
    assert made[0] not in stack_token(SECRET, *of[0])
