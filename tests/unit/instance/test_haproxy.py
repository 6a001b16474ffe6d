"""HAProxy's configuration as Ray writes it, and as it is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from growqr.instance import haproxy

WRITTEN = """global
    log 127.0.0.1:514 local0 info
    stats socket /x/admin mode 666 level admin expose-fd listeners
    maxconn 4096
defaults
    log global
    option httplog
frontend prometheus
    bind :4012
    no log
frontend http_frontend
    bind 127.0.0.1:4000
    log /x/metrics len 8192 format rfc5424 local1 debug
backend api
    server a 127.0.0.1:4020
listen stats
  bind *:4011
  stats enable
"""


def binds(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("bind ")]


@pytest.mark.parametrize(("host", "ingress"), [
    ("127.0.0.1", ["bind 127.0.0.1:4000"]),
    ("localhost", ["bind 127.0.0.1:4000"]),
    ("0.0.0.0", ["bind 0.0.0.0:4000"]),
    ("", ["bind 0.0.0.0:4000"]),
    ("::", ["bind :::4000 v4v6"]),
    ("10.1.2.3", ["bind 127.0.0.1:4000", "bind 10.1.2.3:4000"]),
    ("fd00::1", ["bind 127.0.0.1:4000", "bind [fd00::1]:4000"]),
])  # fmt: skip
def test_only_the_ingress_is_where_the_settings_say(host: str, ingress: list[str]) -> None:
    made = haproxy.placed(WRITTEN, host)
    assert binds(made) == ["bind 127.0.0.1:4012", *ingress, "bind 127.0.0.1:4011"]


def test_requests_are_logged_nowhere_and_the_rest_stays() -> None:
    made = haproxy.placed(WRITTEN, "127.0.0.1")
    gone = [line for line in WRITTEN.splitlines() if line not in made.splitlines()]
    assert gone == ["    log 127.0.0.1:514 local0 info", "    bind :4012", "  bind *:4011"]
    assert haproxy.placed(made, "127.0.0.1") == made


def test_the_program_is_started_with_it_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "it's real"
    real.write_text('#!/bin/sh\necho $$ "$@"\n')
    real.chmod(0o700)
    monkeypatch.setattr(haproxy, "_program", lambda: str(real))
    program = haproxy.install(tmp_path / "h", "127.0.0.1")
    written = tmp_path / "h" / "haproxy.cfg"
    written.write_text(WRITTEN)
    with subprocess.Popen([program, "-db", "-f", written, "-sf", "7"], stdout=-1, text=True) as run:
        said, _ = run.communicate(timeout=20)
    assert said.split() == [str(run.pid), "-db", "-f", str(written), "-sf", "7"]
    assert written.read_text() == haproxy.placed(WRITTEN, "127.0.0.1")
    assert (tmp_path / "h").stat().st_mode & 0o777 == 0o700


def test_ray_still_writes_what_we_expect() -> None:
    """Another Ray may write another configuration: then this file has to be looked at again."""
    from importlib.util import find_spec

    spec = find_spec("ray")
    assert spec
    assert spec.origin
    folder = Path(spec.origin).parent / "serve" / "_private"
    template = (folder / "haproxy_templates.py").read_text()
    for line in (
        "    log {{ config.log_target }} local0 info\n",
        "frontend prometheus\n    bind :{{ config.metrics_port }}\n",
        "frontend http_frontend\n    bind {{ config.frontend_host }}:{{ config.frontend_port }}\n",
        "listen stats\n  bind *:{{ config.stats_port }}\n",
    ):
        assert line in template
