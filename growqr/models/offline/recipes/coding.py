"""Inside OpenCode: write files, run commands, follow skills. A plan is made of the text, and each
call of it is made once what came before has ended well.
"""

from __future__ import annotations

import posixpath
import re

from growqr.models.offline import programs
from growqr.models.offline.talk import Call, Outcome, Recipe, Say, Talk, Use

RANK = 5

SPARE = 60.0
"""Seconds a command may take beyond those it is known to need."""

_ATTEMPTS = 3
_LONGEST_SHOWN = 1500
_FILE = r"[`\"']?(?P<file>(?!\d+(?:\.\d+)+(?![\w.])|e\.g|i\.e)[\w./~-]*\w\.\w{1,8})[`\"']?"
_PLEASE = r"^\W*(?:(?:please|now|then|can you|could you|i want you to)[, ]+)*"
_MAKE = re.compile(
    _PLEASE + r"(?:create|scaffold|build|write|make|generate|implement|add)\s+"
    r"(?:me )?(?:(?:an?|the|new|file|script|program|python|text|called|named)\s+)*" + _FILE,
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"^\W{0,3}(?:(?:that|which|file) )*"
    r"(?:with|contain(?:ing|s)|say(?:ing|s)|holding|holds|reads)\s+"
    r"(?:the )?(?:text |line |content |words )?(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
_GIVEN = re.compile(r"\W*(?:with|contain)", re.IGNORECASE)
_APP = re.compile(
    _PLEASE + r"(?:create|scaffold|build|make)\s+(?:me )?(?:an?|the)\s+(?P<what>[\w -]{0,40}?\b"
    r"(?:app|application|project|package|service|api|tool|website|game|program|script)\b)"
    r"(?:\s+(?:called|named)\s+[`\"']?(?P<name>[\w-]+))?",
    re.IGNORECASE,
)
_RUN = re.compile(
    _PLEASE + r"(?:run|execute)\s+(?:the )?(?:(?:shell )?command:?\s+)?"
    r"(?:`(?P<quoted>[^`]+)`|(?P<plain>\S.*?)\W?$)",
    re.IGNORECASE | re.MULTILINE,
)
_AND_RUN = re.compile(r"\b(?:and|then),? (?:then )?(?:run|execute|start) (?:it|them|that)\b", re.I)
_REPLACE = re.compile(
    _PLEASE + r"(?:replace|change)\s+[`\"“'](?P<old>.+?)[`\"”']\s+(?:with|to|by)\s+"
    r"[`\"“'](?P<new>.*?)[`\"”']\s+in\s+" + _FILE,
    re.IGNORECASE,
)
_READ = re.compile(  # what lies in notes/ is memory's
    _PLEASE + r"(?:read|show|open|print)(?: me)?(?: the)?(?: file)? (?!notes/)" + _FILE, re.I
)
_SKILL = re.compile(
    r"\b(?:(?:what does|read|show|use|follow|apply|load)\s+)(?:me )?(?:the |your |my )?"
    r"(?:skill\s+[`\"“']?(?P<name>[\w-]+)|[`\"“']?(?P<before>[\w-]+)[`\"”']? skill)\b",
    re.IGNORECASE,
)
_TOLD = re.compile(r"\b(?:what does|read|show)\b", re.IGNORECASE)
_BROKEN_OFF = re.compile(
    r"user aborted|execution (?:was )?(?:aborted|interrupted)|call was interrupted", re.IGNORECASE
)
_BASH_TROUBLE = re.compile(
    r"^\s*error\b|Traceback \(most recent|command not found|can't open file"
    r"|exceed(?:ed|ing) timeout",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^ *\d+[:|] ?(.*)$", re.MULTILINE)
_FILE_TROUBLE = re.compile(
    r"\s*(?:error\b|file not found|you must read|file .{1,300}? (?:must|has|was) |could not find"
    r"|oldstring)",
    re.IGNORECASE,
)


def plan(text: str) -> list[Call]:
    """The calls a text asks for, in order; empty where it asks for nothing that is known."""
    if found := _REPLACE.search(text):
        change = {"oldString": found["old"], "newString": found["new"]}
        path = {"filePath": found["file"]}
        return [Call("read", path), Call("edit", path | change)]
    if found := _MAKE.search(text):
        return _make(found["file"], text, text[found.end() :])
    if found := _APP.search(text):
        folder = found["name"] or re.sub(r"\W+", "-", found["what"].lower())
        return _make(f"{folder}/main.py", text, "")
    if found := _RUN.search(text):
        return [_bash(found["quoted"] or found["plain"])]
    if found := _READ.search(text):
        return [Call("read", {"filePath": found["file"]})]
    return []


def _make(file: str, text: str, rest: str) -> list[Call]:
    seconds = 0.0
    is_program = file.endswith(".py")
    printed = programs.printing(rest) if is_program and not _GIVEN.match(rest) else None
    if is_program and (counted := programs.counting(text)):
        content, seconds = counted
    elif printed:
        content = printed
    elif holds := _HOLDS.search(_AND_RUN.sub("", rest)):
        content = holds["text"].strip().strip("“”\"'`").rstrip(" ,;") + "\n"
    elif is_program:
        content = programs.scaffold(posixpath.basename(file), text)
    else:
        content = rest.strip(" ,.:\n") + "\n"
    calls = [Call("write", {"filePath": file, "content": content})]
    if _AND_RUN.search(rest):
        program = "python3" if is_program else "sh"
        calls.append(_bash(f"{program} {file}", seconds))
    return calls


def _bash(command: str, seconds: float = 0.0) -> Call:
    milliseconds = int(max(120.0, seconds + SPARE) * 1000)
    given = {"command": command, "timeout": milliseconds, "description": f"Runs {command}"[:80]}
    return Call("bash", given)


def _carry_out(talk: Talk, calls: list[Call], done: list[Outcome]) -> Say | Use:
    """The next call of the plan that has not ended well yet; `done` are the plan's outcomes."""
    for call in calls:
        tries = [outcome for outcome in done if outcome.call == call]
        if not tries:
            return _use(talk, call)
        last = tries[-1]
        if not _failed(last):
            continue
        if call.name == "write" and "read" in last.text and len(tries) == 1:
            look = Call("read", {"filePath": call.input["filePath"]})  # asked for before a change
            looked = any(outcome.call == look for outcome in done)
            return Use([call if looked else look])
        if _BROKEN_OFF.search(last.text) and len(tries) < _ATTEMPTS:
            return _use(talk, call)
        return Say(f"{_named(call)} failed:\n{_short(last.text)}\n")
    return Say(_told(calls, done))


def _use(talk: Talk, call: Call) -> Say | Use:
    if not talk.offered(call.name):
        return Say(f"I cannot do that here: the tool {call.name} is not offered to me.")
    return Use([call])


def _failed(outcome: Outcome) -> bool:
    """OpenCode's results say nothing but their text; what a file says counts for nothing."""
    if outcome.is_error:
        return True
    if outcome.call.name == "bash":
        return bool(_BASH_TROUBLE.search(outcome.text) or _BROKEN_OFF.search(outcome.text))
    return bool(_FILE_TROUBLE.match(outcome.text) or _BROKEN_OFF.match(outcome.text))


def _told(calls: list[Call], done: list[Outcome]) -> str:
    lines = []
    for call in calls:
        said = [outcome.text for outcome in done if outcome.call == call][-1].strip()
        if call.name == "read" and len(calls) == 1:
            said = "\n".join(_NUMBERED.findall(said)) or said
        if call.name == "bash" or call.name == calls[-1].name == "read":
            lines.append(f"{_named(call)} gave:\n{_short(said) or '(nothing)'}\n")
        elif call.name != "read":
            sketch = " It is a scaffold: offline I can write little more." * _is_sketch(call)
            lines.append(f"{_named(call)} is done.{sketch}")
    return "\n".join(lines)


def _is_sketch(call: Call) -> bool:
    return str(call.input.get("content", "")).endswith(programs.SKETCH_END)


def _named(call: Call) -> str:
    if call.name == "bash":
        return f"`{call.input['command']}`"
    return f"{call.name} of {call.input.get('filePath', '')}"


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST_SHOWN else "…" + text[-_LONGEST_SHOWN:]


def _do(talk: Talk, match: re.Match[str]) -> Say | Use:
    return _carry_out(talk, plan(talk.said), talk.outcomes)


def _skill(talk: Talk, match: re.Match[str]) -> Say | Use:
    """Load it; then tell what it says, or do what its lines ask for."""
    name = match["name"] or match["before"]
    if not talk.outcomes:
        return _use(talk, Call("skill", {"name": name}))
    loaded, *done = talk.outcomes
    if loaded.is_error or "not found" in loaded.text[:200]:
        return Say(f"The skill {name} could not be loaded: {_short(loaded.text)}")
    lines = (re.sub(r"^\s*(?:[-*]|\d+[.)])\s+", "", line) for line in loaded.text.splitlines())
    calls = [call for line in lines for call in plan(line)]
    if _TOLD.match(match[0]) or not calls:
        body = loaded.text.partition("\nBase directory for this skill")[0]
        body = re.sub(r"^<skill_content[^>]*>\s*", "", body)
        return Say(f"The skill {name} says:\n{_short(body)}\n")
    return _carry_out(talk, calls, done)


RECIPES = (
    Recipe(_SKILL, _skill, place="skill", longest=2000),
    *(
        Recipe(pattern, _do, place="bash", longest=2000)
        for pattern in (_REPLACE, _MAKE, _APP, _RUN)
    ),
    Recipe(_READ, _do, place="read"),
)
