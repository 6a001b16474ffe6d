"""The whole product as it is started by `growqr up`: two replicas behind the real ingress."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.instances import Instance
from tests.ui.conftest import Visitor


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    up = Instance(tmp_path_factory.mktemp("i") / "data", GROWQR_API_REPLICAS="2")
    up.up()
    yield up
    up.down()


def test_from_growqr_link_to_signed_out_everywhere(running: Instance, visitor: Visitor):
    printed = running.command("link", "--user", "anna")
    assert printed.returncode == 0, printed.stderr
    page, other = visitor.page, visitor.tab()
    page.goto(printed.stdout.strip())
    expect(page.get_by_role("heading", name="anna")).to_be_visible()
    assert page.url == f"{running.url}/app/sign-in"
    said = running.command("chat", "hello", "--user", "anna")
    assert said.returncode == 0, said.stderr
    expect(page.get_by_role("status")).to_contain_text("just now", timeout=10_000)
    other.goto(f"{running.url}/")
    expect(other.get_by_role("status")).to_contain_text("Live")
    cookie, began = visitor.cookie, time.monotonic()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(other.get_by_role("alert")).to_contain_text("signed out elsewhere", timeout=2000)
    assert time.monotonic() - began < 2
    head = {"cookie": f"{cookie['name']}={cookie['value']}"}
    for _ in range(20):  # each time another connection, to whichever replica
        answer = httpx.get(f"{running.url}/api/v1/auth/me", headers=head)
        assert answer.status_code == 401
