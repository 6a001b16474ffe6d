"""Programs the offline model can write. Each is right, and may be killed and run again."""

from __future__ import annotations

import json
import re

_COUNTING = '''\
"""Write {first} to {last} to {file}. Killed and run again, it goes on where it ended."""

import fcntl
import time

FIRST, LAST, PAUSE = {first}, {last}, {pause}
FILE = {quoted}

with open(FILE, "a+b") as file:
    fcntl.flock(file, fcntl.LOCK_EX)  # wait for a run that still goes on
    file.seek(0)
    good, number = 0, FIRST
    for line in file:
        if number > LAST or line != b"%d\\n" % number:
            break
        good, number = good + len(line), number + 1
    file.truncate(good)  # what follows is half a line, or no line of ours
    for number in range(number, LAST + 1):
        file.write(b"%d\\n" % number)
        file.flush()
        time.sleep(PAUSE)

print(f"{{FILE}} holds {{FIRST}} to {{LAST}}, one a line.")
'''

SKETCH_END = """

def main() -> None:
    print(WANTED)


if __name__ == "__main__":
    main()
"""
"""What every scaffold ends with."""

_COUNT = re.compile(
    r"\b(?:writes?|counts?|puts?|prints?|appends?)\s+(?:the )?(?:numbers? |lines? )?(?:from )?"
    r"(?P<first>\d{1,6})\s*(?:to|through|until|up to|-|\.\.)\s*(?P<last>\d{1,6})\s+"
    r"(?:in)?to (?:a file |the file )?(?P<file>[\w./-]*\w\.\w+)",
    re.IGNORECASE,
)
_PACE = re.compile(
    r"\b(?:(?:one|1|a number|a line) (?:a|per|each|every)|every|each)\s+"
    r"(?P<many>\d+(?:\.\d+)?)?\s*(?P<unit>seconds?|minutes?|ms|milliseconds?|s)\b",
    re.IGNORECASE,
)
_PRINTS = re.compile(
    r"\b(?:prints?|says?|outputs?|shows?)\s+(?P<text>[“\"'`].+?[”\"'`]|.+?)"
    r"(?=\s*(?:,|;|\.\s|\.?$|\band (?:then )?run\b))",
    re.IGNORECASE,
)
_UNITS = {"m": 60.0, "ms": 0.001, "milliseconds": 0.001, "millisecond": 0.001}


def counting(text: str) -> tuple[str, float] | None:
    """(program, seconds it takes) where the text asks to count into a file."""
    if not (found := _COUNT.search(text)):
        return None
    first, last, pause = int(found["first"]), int(found["last"]), _pause(text)
    program = _COUNTING.format(
        first=first, last=last, file=found["file"], pause=pause, quoted=json.dumps(found["file"])
    )
    return program, max(0, last - first + 1) * pause


def printing(text: str) -> str | None:
    """A program where the text asks for one that prints something."""
    if not (found := _PRINTS.search(text)):
        return None
    said = found["text"].strip("“”\"'`")
    return f'"""Prints one line."""\n\nprint({json.dumps(said, ensure_ascii=False)})\n'


def scaffold(name: str, text: str) -> str:
    """A program that says what it is to become: offline nothing more is understood."""
    wanted = json.dumps(" ".join(text.split())[:300], ensure_ascii=False)
    return (
        f'"""{name}: a scaffold. See WANTED for what it is to do."""\n\n'
        f"WANTED = {wanted}\n{SKETCH_END}"
    )


def _pause(text: str) -> float:
    """Seconds between two numbers; 0 where nothing is said of a pace."""
    if not (found := _PACE.search(text)):
        return 0.0
    unit = found["unit"].lower()
    return float(found["many"] or 1) * _UNITS.get(unit, 60.0 if unit.startswith("min") else 1.0)
