"""Characters of a tidied text and the characters of the page that it came from."""

from __future__ import annotations

import re
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers.pdf.alignment import align


def marked(text: str, page: str, part: str) -> str:
    """What of the page is matched by a part of the text, without blanks."""
    start = text.index(part)
    partners = align(text, page)
    return "".join(page[i] for i, partner in enumerate(partners) if start <= partner < start + len(part))


@given(st.text(alphabet="abc é中文\n.,-|ﬁ", max_size=80))
@settings(deadline=None)
def test_a_text_is_aligned_with_itself(text: str) -> None:
    for index, partner in enumerate(align(text, text)):
        assert partner == (-1 if text[index].isspace() else index)


def test_hyphens_ligatures_case_and_bullets() -> None:
    page = "▪ The informa\ufffetion of\nthe ofﬁce is cutting\ufffeedge, as it is\u00a0said"
    text = "• The information of the office is cutting-edge, as it is said"
    assert marked(text, page, "• The") == "▪The"
    assert marked(text, page, "information of") == "informationof"
    assert marked(text, page, "office is cutting-edge,") == "ofﬁceiscutting\ufffeedge,"
    assert marked(text, page, "said") == "said"


def test_accents_in_two_spellings() -> None:
    assert marked("Café Zürich", "Cafe\u0301 Zu\u0308rich", "Zürich") == "Zurich"


def test_a_running_head_is_left_out() -> None:
    page = "Nordwind handbook 7\nThe handbook of Nordwind says that\nevery pump is checked.\n7"
    text = "The handbook of Nordwind says that\nevery pump is checked."
    assert align(text, page)[:19] == [-1] * 19
    assert marked(text, page, text) == re.sub(r"\s", "", text)


def test_columns_in_another_order() -> None:
    left = [f"left column number {word} ends" for word in ("one", "two", "three", "four", "five")]
    right = [f"and right beside it {word} goes" for word in ("six", "seven", "eight", "nine", "ten")]
    page = "\n".join(f"{one} {two}" for one, two in zip(left, right, strict=True))
    text = "\n".join([*left, *right])
    partners = align(text, page)
    same = [text[partner].casefold() == page[i].casefold() for i, partner in enumerate(partners) if partner >= 0]
    assert all(same)
    assert len(same) >= 0.95 * len(re.sub(r"\s", "", page))


def test_chinese_lines_broken_elsewhere() -> None:
    page = "水泵的工作压力是四十\n巴。它由北风公司于一九九八年安装。"
    assert marked(page.replace("\n", ""), page, "四十巴。它") == "四十巴。它"


def test_a_page_of_digits_takes_no_time() -> None:
    digits = " ".join("0123456789" * 800)
    page = digits.replace("7 8 9", "7 x 8 9", 5).replace("0 1 2 3", "0 2 3", 3)
    begun = time.monotonic()
    partners = align(digits, page)
    assert time.monotonic() - begun < 20
    assert all(digits[partner] == page[i] for i, partner in enumerate(partners) if partner >= 0)
    assert sum(partner >= 0 for partner in partners) >= 8000 - 5
    assert partners[-1] == len(digits) - 1


def test_a_page_without_the_text() -> None:
    assert align("words", "") == []
    assert align("", "words") == [-1] * 5
    assert align("abcdef", "uvwxyz") == [-1] * 6
