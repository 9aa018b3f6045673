"""The page as it opens."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]


def test_the_page_opens_with_the_field_in_focus(visit: Open) -> None:
    one = visit()
    page = one.go()
    assert page.evaluate("document.activeElement.id") == "question"
    one.keep("ask-empty")
