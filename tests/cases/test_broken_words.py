"""Words broken at the end of a line: the typesetter's hyphen goes, the writer's stays, and no search needs to know."""

from __future__ import annotations

import pytest

from tests.ingest.conftest import Write, make_pdf
from tests.ingest.readers.builders import read
from tests.ingest.readers.pdf_pages import make_page


def _page(write: Write, *lines: str) -> str:
    return read(write("a.pdf", make_page([(72, 700 - 14 * i, line) for i, line in enumerate(lines)]))).text


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_a_paragraph_in_which_every_line_is_broken(write: Write) -> None:
    text = _page(write, "The municipal regu-", "lations require an annual inspec-", "tion of every eleva-",
                 "tor in public buildings. The responsi-", "ble officer signs the certifi-", "cate before the end of Septem-",
                 "ber.")  # fmt: skip
    assert _flat(text) == (
        "The municipal regulations require an annual inspection of every elevator in public buildings. "
        "The responsible officer signs the certificate before the end of September."
    )
    assert text.startswith("The municipal regulations\nrequire an annual inspection\nof every elevator\n")


@pytest.mark.parametrize(
    ("upper", "lower", "word"),
    [
        ("This is well-", "known in town", "well-known"),
        ("It is a state-of-the-", "art device", "state-of-the-art"),
        ("It is a state-of-", "the-art device", "state-of-the-art"),
        ("Keep it up-", "to-date now", "up-to-date"),
        ("A long-", "term plan", "long-term"),
        ("A risk-", "based plan", "risk-based"),
        ("Send an e-", "mail now", "e-mail"),
        ("The x-", "ray room", "x-ray"),
        ("About covid-", "19 here", "covid-19"),
        ("Gauge type K-", "12 here", "K-12"),
        ("The Anglo-", "Saxon age", "Anglo-Saxon"),
        ("Norm ISO-", "IEC here", "ISO-IEC"),
        ("They are twenty-", "five men", "twenty-five"),
        ("It is water-", "proof. All water is proof.", "water-proof"),
        ("You must under-", "stand it. Do stand under it.", "understand"),
        ("Go be-", "fore noon", "before"),
        ("It is not-", "able. We are able or not.", "notable"),
        ("A REGU-", "LATION", "REGULATION"),
        ("Die Verord-", "nung gilt", "Verordnung"),
        ("Der Schlüs-", "sel ist", "Schlüssel"),
        ("Le règle-", "ment est", "règlement"),
        ("The potato and a toma-", "to here", "tomato"),
        ("It was well-estab-", "lished here", "well-established"),
        ("It is (re-", "quired) here", "(required)"),
    ],
)
def test_one_broken_word(write: Write, upper: str, lower: str, word: str) -> None:
    assert word in _flat(_page(write, upper, lower)).replace("(re quired", "")


def test_the_rest_of_the_document_knows_better(write: Write) -> None:
    assert "cutting-edge" in _page(write, "Our cutting-edge pump and a cutting-", "edge valve")
    assert "database" in _page(write, "A database is here. The data-", "base is there. A data base too.")


def test_halves_are_no_words_of_the_document(write: Write) -> None:
    text = _page(write, "An eleva-", "tor here, an eleva-", "tor there, an eleva-", "tor in the hall")
    assert _flat(text) == "An elevator here, an elevator there, an elevator in the hall"


def test_a_suspended_hyphen_stays(write: Write) -> None:
    assert "short-\nand long-term" in _page(write, "Plans are short-", "and long-term here")
    assert "Vertrags-\nund Preisfragen" in _page(write, "Offene Vertrags-", "und Preisfragen sind")


def test_a_dash_or_a_number_is_no_broken_word(write: Write) -> None:
    assert _page(write, "The years 2024-", "25 were wet -", "very wet") == "The years 2024-\n25 were wet -\nvery wet"


def test_a_soft_hyphen(write: Write) -> None:
    assert "elevator" in _page(write, "The eleva\xad", "tor in the hall")


def test_a_word_broken_between_two_pages(write: Write) -> None:
    pages = [[("The valve is near the eleva-", 12, False, 700)], [("tor of the hall.", 12, False, 700)]]
    document = read(write("a.pdf", make_pdf(pages)))
    assert _flat(document.text) == "The valve is near the elevator of the hall."
    assert document.pages[1].start == document.text.index("of the hall")


def test_a_word_broken_over_a_page_with_numbers_and_heads(write: Write) -> None:
    pages = [
        [
            ("Handbook", 10, False, 760),
            ("The valve is near the eleva-", 12, False, 700),
            (f"Page {1} of 2", 10, False, 40),
        ],
        [("Handbook", 10, False, 760), ("tor of the hall.", 12, False, 700), (f"Page {2} of 2", 10, False, 40)],
    ]
    assert _flat(read(write("a.pdf", make_pdf(pages))).text) == "Handbook The valve is near the elevator of the hall."


def test_chinese_and_mixed_text_keep_what_they_hold(write: Write) -> None:
    from ingest.readers.pdf.hyphens import join, words_of

    words = words_of(["用eleva-"])
    assert join("请用eleva-", "tor电梯", words) == ("请用elevator", "电梯")
    assert join("使用Docker-", "容器部署", words) is None
    assert join("中文-", "english", words) is None


def test_a_document_whose_lines_break_at_compounds_only(write: Write) -> None:
    text = _page(write, "We are in-network and out-of-network, pre-paid and tax-free here, all in-", "network and out-of-",
                 "network as tax-", "free as pre-", "paid, by problem-", "solving.")  # fmt: skip
    assert "problem-solving" in text


@pytest.mark.parametrize("foot", ["1", "147", "- 147 -", "Page 1", "Page 1 of 9", "第 1 页", "1 / 9", "Seite 3 von 4"])
def test_a_lone_page_number_is_no_sentence(write: Write, foot: str) -> None:
    if not foot.isascii():
        from ingest.readers.pdf.layout import Line, tidy

        lines = [Line("The valve is open.", 12.0, False, 700.0, 700.0), Line(foot, 12.0, False, 40.0, 40.0)]
        assert [line.text for line in tidy([lines], headings=False)[0]] == ["The valve is open."]
        return
    pages = [[("The valve is open.", 12, False, 700), (foot, 10, False, 40)]]
    assert read(write("a.pdf", make_pdf(pages))).text == "The valve is open."


def test_a_number_within_the_text_stays(write: Write) -> None:
    assert _page(write, "The number of doors is", "147") == "The number of doors is\n147"
    assert _page(write, "7", "doors are here") == "7\ndoors are here"
