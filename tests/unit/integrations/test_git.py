"""Repositories and references that users name: what git is given is what it looks like."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growqr.errors import Invalid
from growqr.integrations import GIT_SAFE, check_ref, check_repository, git_environment, git_pins


@pytest.mark.parametrize("url", [
    "https://example.com/team/project.git", "https://example.com/project",
    "https://example.com:8443/a/b/c.git", "https://git.example.com/~user/-x",
])  # fmt: skip
def test_good_repositories(url: str) -> None:
    assert check_repository(url) == url


@pytest.mark.parametrize("url", [
    "ext::sh -c touch% /tmp/x", "ext::sh", "fd::17", "https::https://example.com/x",
    "file:///etc/passwd", "file://example.com/x", "/etc", "./x", "../x", "",
    "-uhttps://example.com/x", "--upload-pack=touch /tmp/x", "-u./x",
    "ssh://-oProxyCommand=touch/x", "ssh://git@example.com/x", "git@example.com:team/x.git",
    "git://example.com/x", "http://example.com/x", "https://-oProxyCommand=x/y",
    "https://user:secret@example.com/x.git", "https://token@example.com/x.git",
    "https://example.com/a b", "https://example.com/x\n", "https://example.com/\tx",
    "https://example.com/x\x00", "https://example.com", "https://example.com/",
    "https://example.com/x?token=1", "https://example.com/x#main",
    "https://127.0.0.1/x", "https://2130706433/x", "https://localhost/x", "https://[::1]/x",
])  # fmt: skip
def test_bad_repositories(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_repository(url)
    assert refused.value.detail["field"] == "repository"
    assert "secret" not in refused.value.message
    assert "token" not in refused.value.message


@pytest.mark.parametrize("name", [
    "main", "feature/login", "v1.2.3", "refs/heads/main", "HEAD", "a-b_c", "müller", "a@b", "1",
    "a" * 200, "x{y}", "a/b.lockx",
])  # fmt: skip
def test_good_references(name: str) -> None:
    assert check_ref(name) == name


@pytest.mark.parametrize("name", [
    "", "-x", "--upload-pack=x", "/x", "x/", "a//b", ".x", "a/.b", "x.", "a..b", "a.lock",
    "a.lock/b", "a b", "a~1", "a^", "a:b", "a?b", "a*", "a[b", "a\\b", "a@{1}", "@", "a\nb", "a\n",
    "a\x7f", "a\x00", "\u202emain", "a" * 201, "main:refs/heads/evil", "+main",
])  # fmt: skip
def test_bad_references(name: str) -> None:
    with pytest.raises(Invalid):
        check_ref(name)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab./@{}-~^:?*[\\ lock\n\x7fé"), min_size=1, max_size=8))
def test_whatever_passes_is_a_reference_for_git(name: str) -> None:
    try:
        check_ref(name)
    except Invalid:
        return
    asked = ["git", "check-ref-format", f"refs/heads/{name}"]
    assert subprocess.run(asked, timeout=20).returncode == 0


def test_git_is_told_nothing_of_this_process() -> None:
    environment = git_environment()
    assert environment["GIT_ALLOW_PROTOCOL"] == "https"
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert environment["HOME"] == "/nonexistent"
    assert "core.hooksPath=/dev/null" in GIT_SAFE
    assert "protocol.ext.allow=never" in GIT_SAFE
    assert set(GIT_SAFE[::2]) == {"-c"}


def test_pins_name_host_port_and_addresses() -> None:
    pins = git_pins("https://example.com/x", ["1.1.1.1", "2606:4700::1"])
    assert pins == ("-c", "http.curloptResolve=example.com:443:1.1.1.1,[2606:4700::1]")
