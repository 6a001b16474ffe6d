"""Much to show: only what is seen is in the page, and a frame has little to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from playwright.sync_api import CDPSession, Page, expect

from growqr import names
from tests.ui.built.conftest import Meet, Someone

EVENTS, LINES = 5_000, 10_000
ROWS = 150
"""Rows that may be in the page, however many there are."""

ARRIVE = """
with journal as (update stream set last_seq = last_seq + %(many)s where user_id = %(user)s
                 returning last_seq - %(many)s as before)
insert into event (user_id, seq, type, data)
select %(user)s, before + i, 'probe.told', jsonb_build_object('text', 'It is number ' || i)
from journal, generate_series(1, %(many)s) as i
"""

SCROLL = """(box, frames) => new Promise(done => {
  const step = box.scrollHeight / frames;
  let frame = 0;
  box.scrollTop = 0;
  const next = () => {
    box.scrollTop += step;
    ++frame < frames ? requestAnimationFrame(next) : done();
  };
  requestAnimationFrame(next);
})"""
FRAMES = 100
SPENT = ("ScriptDuration", "TaskDuration")


class Pace:
    """What scripts and layout of a page cost."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("Performance.enable")

    def _spent(self) -> dict[str, float]:
        told = self._cdp.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}

    @contextmanager
    def within(self, what: str, usual: float, frames: int = 1) -> Iterator[None]:
        """At most three times as many milliseconds of script a frame as two busy cores need."""
        before = self._spent()
        yield
        after = self._spent()
        script, task = ((after[name] - before[name]) * 1000 / frames for name in SPENT)
        each = " a frame" if frames > 1 else ""
        print(f"{what}: {script:.1f} ms of script, {task:.1f} ms in all{each}")
        assert script < 3 * usual


def arrive(someone: Someone, many: int) -> None:
    """Events come into a journal, as if an agent had worked."""
    url = someone.person.instance.settings.database_url
    assert url
    user = names.local_user_id(someone.person.name)
    with psycopg.connect(url.get_secret_value()) as conn:
        conn.execute(ARRIVE.encode(), {"user": user, "many": many})


def test_five_thousand_events(meet: Meet):
    anna = meet("/app/events", traced=False)
    page, pace = anna.page, Pace(anna.page)
    box = page.get_by_role("listbox", name="Events")
    anna.person.ask("hello")
    expect(box.get_by_role("option").first).to_be_visible()
    with pace.within(f"{EVENTS} events arrive", 100):
        arrive(anna, EVENTS)
        expect(box.get_by_role("option").last).to_contain_text(f"number {EVENTS}", timeout=20_000)
    assert box.get_by_role("option").count() < ROWS
    with pace.within(f"{EVENTS} events are scrolled", 2.5, FRAMES):
        box.evaluate(SCROLL, FRAMES)
    assert box.get_by_role("option").count() < ROWS


def test_ten_thousand_lines_that_differ(meet: Meet):
    anna = meet(None, traced=False)
    for word in ("old", "new"):
        text = "".join(f"line {n} {word if n % 9 == 0 else ''}\n" for n in range(LINES))
        put = anna.person.http.put("/memory/big.txt", json={"content": text})
        assert put.status_code == 200, put.text
    page, pace = anna.page, Pace(anna.page)
    page.goto(f"{anna.url}/app/memory/big.txt")
    history = page.get_by_role("complementary", name="History").get_by_role("list")
    diff = page.get_by_role("region", name="changed")
    expect(history.get_by_role("button")).to_have_count(2)
    with pace.within(f"a diff of {LINES} lines opens", 500):
        history.get_by_role("button").first.click()
        expect(diff.locator("code").filter(has_text="line 9 new")).to_be_visible()
    with pace.within(f"a diff of {LINES} lines is scrolled", 4, FRAMES):
        diff.evaluate(SCROLL, FRAMES)
    expect(diff.get_by_text(f"line {LINES - 1}").last).to_be_visible()
    assert diff.locator("code").count() < ROWS
