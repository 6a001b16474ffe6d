"""Every statement that writes: the cases in which somebody dies at it, or why there is none."""

from __future__ import annotations

import re
from importlib.resources import files

from growqr import names
from tests.crash import cases
from tests.crash.cases import ALL_TOOLS, LONG, WORK, Case, tool, turn

WHENS = ("before", "after")
EFFECTS = ("unsafe", "idempotent", "reconcilable")

CASES = [
    # The user's agent dies, in a turn that its successor completes.
    Case("take_lease", "agents", turn(ALL_TOOLS, warm=False)),
    Case("claim_turn", "agents", turn(ALL_TOOLS)),
    Case("renew_lease", "agents", turn(LONG)),
    Case("begin_model_step", "agents", turn(ALL_TOOLS)),
    Case("finish_model_step", "agents", turn(ALL_TOOLS)),
    Case("finish_model_step", "agents", turn("hello again"), "last reply"),
    *(Case("claim_tool", "agents", turn(tool(effect)), effect) for effect in EFFECTS),
    *(Case("finish_tool", "agents", turn(tool(effect)), effect) for effect in EFFECTS),
    Case("finish_tool", "agents", turn(ALL_TOOLS), "side by side"),
    Case("finish_turn", "agents", cases.cancelled),
    Case("release_idle", "agents", cases.idle),
    Case("accept_memory", "agents", cases.remembers),
    Case("spawn_sub_agent", "agents", cases.spawns),
    Case("ask", "agents", turn('[[tools ask_user {"question": "which one?"}]]')),
    Case("ask_about_unknown", "agents", cases.unknown("unsafe")),
    Case("repeat_tool", "agents", cases.unknown("unsafe", "approve"), "as approved"),
    Case("repeat_tool", "agents", cases.unknown("reconcilable"), "as it did not happen"),
    Case("set_timer", "agents", turn('[[tools set_timer {"text": "x", "seconds": 86400}]]')),
    # Agents around a task that OpenCode does.
    Case("accept_message", "opencode", cases.delegates, "by an agent"),
    Case("wait_turn", "opencode", cases.delegates),
    Case("want_service", "opencode", cases.task("hello"), "by an agent"),
    Case("touch_service", "opencode", cases.task("hello")),
    Case("begin_prompt", "opencode", cases.task("hello")),
    Case("begin_prompt", "opencode", cases.task("hello", channel="ch-{point}"), "of a first task"),
    Case("begin_prompt", "opencode", cases.forgets("hello"), "with a record"),
    Case("claim_tool", "opencode", cases.task(WORK), "of OpenCode"),
    Case("finish_tool", "opencode", cases.task(WORK), "of OpenCode"),
    Case("finish_prompt", "opencode", cases.task("hello")),
    Case("finish_prompt", "opencode", cases.forgets(LONG, under_way=True), "that was lost"),
    Case("finish_turn", "opencode", cases.task("hello"), "of a sub-agent"),
    Case("decide_service", "opencode", cases.service_ends(), "by the agent"),
    # A replica of the api dies, and the client asks again with the same key.
    Case("ensure_user", "api", cases.met),
    Case("accept_message", "api", cases.accepted),
    Case("end_turn", "api", cases.cancelled),
    Case("decide", "api", cases.decided),
    Case("remove_timer", "api", cases.timer_removed),
    Case("change_thread", "api", cases.thread_changed),
    Case("keep_answer", "api", cases.answered),
    Case("stop_sub_agent", "api", cases.stopped),
    Case("accept_memory", "api", cases.put(), "over HTTP"),
    Case("want_service", "api", cases.wanted),
    # The model gateway.
    Case("record_usage", "gateway", cases.metered),
    # The Host.
    Case("acquire_lease", "host", cases.put()),
    Case("memory_projected", "host", cases.put()),
    Case("release_lease", "host", cases.put(names.host("local"))),
    Case("observe_service", "host", cases.wanted),
    Case("decide_service", "host", cases.service_ends(asleep=True), "in its stead"),
    # The Supervisor.
    Case("release_lease", "supervisor", cases.orphaned, "of the dead"),
    Case("await_start", "supervisor", cases.orphaned),
    Case("fire_timer", "supervisor", cases.timer_fired),
    Case("burn_epoch", "supervisor", cases.overdue),
]

EXEMPT = {
    "admit": "counts a request and says who asks: a crash loses a count, or the request with it",
    "begin_sign_in": "one statement; a cookie that was never given ends by itself",
    "change_user": "one transaction; an admin who saw no answer repeats it",
    "close_stream": "a place that is not given back expires",
    "count_stranger": "a count of a minute",
    "create_repo": "with a key it is inside keep_answer's transaction; the folder is made after it",
    "create_thread": "with a key it is inside keep_answer's transaction",
    "drop_answers": "drops what is too old to count; whatever is left goes the next time",
    "drop_refusals": "drops what is too old to keep; whatever is left goes the next time",
    "drop_expired": "drops what is over; whatever is left goes the next time",
    "end_sign_ins": "one statement; repeated it finds nothing more to end",
    "exchange_link": "link and sign-in are one statement; one may ask for another",
    "keep_oauth_account": "one statement; signing in again writes it again",
    "keep_streams": "places that are not kept expire",
    "make_api_key": "one statement; a key never shown is revoked, a repeat is a 409",
    "make_invite": "one statement; an invite that was never shown is withdrawn, or ends by itself",
    "make_sign_in_link": "one row; a link that was never shown is over in ten minutes",
    "mirror_confirm": "saves a question: after a crash the server is asked again what it holds",
    "note_refused": "refusals may be lost with the process that noted them, as the store says",
    "open_oauth_state": "one row, over in ten minutes; one begins anew",
    "open_stream": "a place that nobody uses expires",
    "remove_oauth_account": "one transaction; repeated it finds nothing",
    "requeue_turn": "mends what no crash leaves behind; whatever is left is mended the next time",
    "revoke_api_key": "one statement that may be repeated",
    "swap_oauth_tokens": "compares and swaps; a renewal that died is claimed anew (renewal.py)",
    "take_oauth_state": "a state is good once: whoever lost the answer begins anew",
    "take_timer": "is inside fire_timer's transaction",
    "tell_progress": "one event that changes nothing; what is told again has been told before",
    "trim_events": "drops events together with the floor above which none is missing, in one write",
    "withdraw_invite": "one statement; repeated it finds nothing",
}
"""Statements that write and have no case of their own, and why."""

_NAMED = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)
_WRITES = re.compile(r"\b(insert into|update\s+\w+(\s+\w)?\s+set|delete from)\b")


def writing_statements() -> set[str]:
    """Names of all statements of the store that write, parts of others left out."""
    texts: dict[str, str] = {}
    for file in (files("growqr.store") / "queries").iterdir():
        parts = _NAMED.split(file.read_text(encoding="utf-8"))
        texts |= dict(zip(parts[1::2], parts[2::2], strict=True))
    bare = {name: re.sub(r"^--.*$", "", text, flags=re.MULTILINE) for name, text in texts.items()}
    parts_of = {name for text in bare.values() for name in re.findall(r"\{([a-z_]+)\}", text)}
    fenced = {name for name, text in bare.items() if re.search(r"\bchange as \(", text)}
    written = {name for name, text in bare.items() if _WRITES.search(text)}
    return (written | fenced) - parts_of - {"fenced"}
