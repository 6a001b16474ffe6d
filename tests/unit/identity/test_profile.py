"""Production starts with no development default, and with everything it needs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from growqr.config import Settings
from growqr.errors import InstanceError
from growqr.identity import check_profile

READY: dict[str, Any] = {
    "profile": "production",
    "public_url": "https://growqr.example",
    "github_client_id": "id",
    "github_client_secret": "secret",
    "allowed_emails": ["@growqr.example"],
    "encryption_key": "AAAA",
}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "the built-in issuer": ({"local_issuer": "on"}, "GROWQR_LOCAL_ISSUER"),
    "nobody to sign in": ({"github_client_id": None}, "CLERK_PUBLISHABLE_KEY"),
    "anybody's tokens": ({"oidc_issuer": "https://id.example"}, "GROWQR_OIDC_AUDIENCE"),
    "the whole world": ({"allowed_emails": []}, "GROWQR_ALLOWED_EMAILS"),
    "no address": ({"public_url": None}, "GROWQR_PUBLIC_URL"),
    "no https": ({"public_url": "http://growqr.example"}, "GROWQR_PUBLIC_URL"),
    "pages without https": ({"frontend_url": "http://elsewhere.example"}, "FRONTEND_URL"),
    "a key of its own making": ({"encryption_key": None}, "ENCRYPTION_KEY"),
    "no walls": ({"allow_unsandboxed": True}, "GROWQR_ALLOW_UNSANDBOXED"),
}


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings.model_validate({"data": tmp_path, **READY, **more})


def test_it_starts_when_all_is_said(tmp_path: Path) -> None:
    made = settings(tmp_path)
    check_profile(made)
    assert not made.has_local_issuer
    check_profile(
        settings(
            tmp_path,
            github_client_id=None,
            oidc_issuer="https://id.example",
            oidc_audience="growqr",
        )
    )


@pytest.mark.parametrize(("change", "variable"), WRONG.values(), ids=list(WRONG))
def test_each_default_is_named(tmp_path: Path, change: dict[str, Any], variable: str) -> None:
    with pytest.raises(InstanceError) as refused:
        check_profile(settings(tmp_path, **change))
    assert re.findall(r"^  ([A-Z_]+):", refused.value.message, re.MULTILINE) == [variable]
    check_profile(settings(tmp_path, **change, profile="development"))


def test_all_of_them_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InstanceError) as refused:
        check_profile(Settings.model_validate({"data": tmp_path, "profile": "production"}))
    for variable in ("CLERK_PUBLISHABLE_KEY", "GROWQR_PUBLIC_URL", "ENCRYPTION_KEY"):
        assert variable in refused.value.message
