"""The page as it opens."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Open

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]


def test_the_page_opens_with_the_field_in_focus(visit: Open) -> None:
    one = visit()
    page = one.go()
    assert page.evaluate("document.activeElement.id") == "question"
    one.keep("ask-empty")


@pytest.mark.parametrize("viewport", [None, PHONE])
def test_the_line_about_loading_makes_the_empty_page_no_longer(visit: Open, viewport: Any) -> None:
    one = visit(viewport=viewport)
    page = one.go()
    expect(page.locator("#examples button")).to_have_count(3)
    expect(page.locator("#examples")).to_be_visible()
    page.evaluate(
        "text => { document.getElementById('status').textContent = text; }", "The chat model is arriving. " * 4
    )
    expect(page.locator("#status")).to_be_visible()
    one.until("document.documentElement.scrollHeight <= innerHeight")
    one.keep("ask-empty-loading-phone" if viewport else "ask-empty-loading")
    page.evaluate("document.getElementById('status').textContent = ''")
    one.until("document.getElementById('view-ask').getBoundingClientRect().bottom === innerHeight")
