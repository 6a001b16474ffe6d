"""Paths, contents and secrets: what memory refuses, and that it says why."""

from __future__ import annotations

import pytest

from growqr.errors import Invalid, TooLarge
from growqr.memory import MAX_CONTENT, check_content, check_path, refuse_secrets

GOOD = ["a", "notes/launch.md", "2026/11/20 friday.md", "_drafts/x-1_b.txt", "हिन्दी/नोट.md", "Ä.md"]
BAD = [
    "", "/a", "a//b", "a/", "..", "a/../b", ".git/config", "a/.GIT/x", ".Git", "GIT~1", "a/git~1/x",
    ".git /x", "a.", "a ", "a /b", "a\\b", "a\0b", "-a", "a/-rf", "a\nb", "a:b", "a*", ".hidden",
    "x" * 201, "ä" * 200, "/".join(["abcdefghi"] * 60), "a/\u200b.git", "a\u202eb", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("path", GOOD)
def test_good_paths_pass_unchanged(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", BAD, ids=ascii)
def test_bad_paths_are_refused_with_a_hint(path: str) -> None:
    with pytest.raises(Invalid, match=r"not allowed: .*write it like notes/launch\.md") as caught:
        check_path(path)
    assert caught.value.detail == {"field": "path"}


def test_one_spelling_for_one_name() -> None:
    assert check_path("cafe\u0301.md") == "caf\u00e9.md"


def test_content_is_text_up_to_one_megabyte() -> None:
    assert check_content("ä" * (MAX_CONTENT // 2)) == "ä" * (MAX_CONTENT // 2)
    with pytest.raises(TooLarge, match="1000002 bytes"):
        check_content("ä" * (MAX_CONTENT // 2 + 1))
    for text in ("a\0b", "\ud800"):
        with pytest.raises(Invalid):
            check_content(text)


SECRETS = {
    "Anthropic": "sk-ant-api03-Zm9vYmFy",
    "growqr API": "gq_0123456789abcdef",
    "gateway": "gqm.grow-agent:u_alice.3.c2lnbmF0dXJlIG9mIGEgdG9rZW4",
    "GitHub": "ghp_" + "a1" * 18,
    "GitHub ": "gho_" + "a1" * 18,
    "GitHub  ": "github_pat_11ABCDEFG0123456789_abcdef",
    "Slack": "xoxb-123456789012-abcdefghijkl",
    "webhook": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "private": "-----BEGIN RSA PRIVATE KEY-----",
    "AWS": "AKIAIOSFODNN7EXAMPLE",
    "OpenAI": "sk-proj-" + "a1B2" * 12,
    "Stripe": "sk_live_" + "a1" * 12,
    "JWT": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWl0",
}


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
def test_secrets_are_refused_by_kind_and_never_echoed(kind: str, secret: str) -> None:
    with pytest.raises(Invalid, match=kind.strip()) as caught:
        refuse_secrets("notes.md", f"the key is {secret}, keep it")
    assert secret not in str(caught.value) + str(caught.value.detail)


def test_ordinary_text_about_secrets_passes() -> None:
    refuse_secrets(
        "The launch is on Friday. Keys start with sk-ant- or ghp_, see the vault.",
        "task-management and risk-assessment; desk-proj-plans; AKIA is a prefix",
    )
