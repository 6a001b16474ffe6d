"""A model's words are words, wherever a page shows them: they run, load and bend nothing."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.ui.built.conftest import Meet
from tests.ui.built.screens import Chat, fits

ELSEWHERE = "http://127.0.0.1:9"
OVERRIDE = "\u202e"
HOSTILE = f"""<script>window.ran = 1</script>

<img src=x onerror="window.ran = 2"><svg onload="window.ran = 3"></svg>
<iframe src="{ELSEWHERE}/frame"></iframe><style>* {{ display: none }}</style>

[a link](javascript:window.ran=4) [page](data:text/html,<script>1</script>) <javascript:alert(1)>
![spy]({ELSEWHERE}/spy.png) ![own](/api/v1/auth/me) [out]({ELSEWHERE}/)

| a | b |
|---|---|
| {"wide" * 300} | ![cell]({ELSEWHERE}/cell.png) |

```html
<script>window.ran = 5</script>
```

Right {OVERRIDE}to left. {"long" * 1000} The end of it."""

LINKS = "all => all.map(a => a.getAttribute('href'))"
MARKUP = "script, iframe, object, embed, style, svg[onload], img[src^=http], [onerror]"


def harmless(page: Page) -> None:
    """Nothing ran, nothing is there that could, and nothing is wider than the window."""
    assert page.evaluate("window.ran") is None
    main = page.get_by_role("main")
    assert main.locator(MARKUP).count() == 0
    for link in main.get_by_role("link").evaluate_all(LINKS):
        assert urlsplit(link).scheme in ("", "http", "https", "mailto"), link
    assert fits(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_74_a_models_words_run_load_and_bend_nothing(meet: Meet, width: int):
    anna = meet(None, viewport={"width": width, "height": 740})
    page, asked = anna.page, set[str]()
    anna.visitor.context.on("request", lambda one: asked.add(urlsplit(one.url).netloc))
    note = {"path": "notes/evil.md", "content": HOSTILE, "message": HOSTILE[:150]}
    anna.person.ask(f"[[tools commit_memory {json.dumps(note)}]] [[say {HOSTILE}]]")
    question = {"question": HOSTILE[-900:] + HOSTILE[:500], "options": [HOSTILE[:90], OVERRIDE]}
    anna.person.say(f"[[tools ask_user {json.dumps(question)}]]")
    page.goto(f"{anna.url}/app")
    row = Chat(page).rows("Agent").first
    expect(row).to_contain_text("The end of it.")
    harmless(page)
    row.get_by_text("a link").click()
    harmless(page)
    expect(row.get_by_role("link", name="out")).to_have_attribute("href", f"{ELSEWHERE}/")
    page.goto(f"{anna.url}/app/decisions")
    expect(page.get_by_role("main")).to_contain_text("The end of it.")
    assert OVERRIDE not in page.get_by_role("main").inner_text(), "what is approved is in order"
    harmless(page)
    page.goto(f"{anna.url}/app/memory/notes/evil.md")
    expect(page.get_by_role("main")).to_contain_text("The end of it.")
    harmless(page)
    page.goto(f"{anna.url}/app/events")
    expect(page.get_by_role("option").filter(has_text="tool.requested").first).to_be_visible()
    harmless(page)
    assert asked == {urlsplit(anna.url).netloc}, "nothing was asked of anybody else"
