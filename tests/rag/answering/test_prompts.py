"""The prompt: its parts, its version, and what counts as a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering import prompts
from rag.errors import ConfigurationError
from tests.rag.passages import evidence


def test_sources_are_numbered_and_stand_before_the_question() -> None:
    system, user = prompts.build("Why {so}?", [evidence(1, "One\nline."), evidence(2, "{question} Two.")])

    assert (system.role, user.role) == ("system", "user")
    assert "First write Yes" in system.content
    assert "[1] One line.\n[2] {question} Two." in user.content
    assert user.content.index("[2]") < user.content.index("Why {so}?")


def test_marks_and_headings_of_documents_are_defused() -> None:
    (_, user) = prompts.build("Why?", [evidence(1, "See [3] and 【4】, [5, 6].", heading="Guide > Valves [9]")])

    assert "[1] Valves (9): See (3) and (4), (5, 6)." in user.content


def test_a_heading_that_the_text_repeats_is_left_out() -> None:
    (_, user) = prompts.build("Why?", [evidence(1, "Valves close fast.", heading="Valves")])

    assert "[1] Valves close fast." in user.content


def test_the_version_changes_with_the_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prompts.version()
    for name in prompts.PLACEHOLDERS:
        (tmp_path / name).write_text((prompts.FOLDER / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(prompts, "FOLDER", tmp_path)
    try:
        prompts.templates.cache_clear()
        assert prompts.version() == before
        (tmp_path / "system.txt").write_text("Be brief.", encoding="utf-8")
        prompts.templates.cache_clear()
        assert prompts.version() != before
        (tmp_path / "question.txt").write_text("{sources} {answer}", encoding="utf-8")
        prompts.templates.cache_clear()
        with pytest.raises(ConfigurationError, match=r"question\.txt"):
            prompts.templates()
        (tmp_path / "question.txt").unlink()
        with pytest.raises(ConfigurationError, match="cannot be read"):
            prompts.templates()
    finally:
        monkeypatch.undo()
        prompts.templates.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "NOT IN SOURCES",
        "The sources do not mention the price.",
        "This is not specified in the provided text.",
        "I cannot answer this question.",
        "There is no information about it.",
        "来源中没有提到价格。",
        "根据提供的资料无法确定。",
        "文中未提及此事。",
    ],
)
def test_refusals(text: str) -> None:
    assert prompts.is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "The pump does not run at night.",
        "The key is not stored on disk.",
        "水泵没有运行。",
        "The documents are kept for ten years.",
        "It cannot be opened without a password.",
    ],
)
def test_statements_are_no_refusals(text: str) -> None:
    assert not prompts.is_refusal(text)


@pytest.mark.parametrize(
    ("text", "word", "rest"),
    [
        ("Yes. The pump runs.", "yes", "The pump runs."),
        ("**Yes**\n\nIt runs. Yes.", "yes", "It runs. Yes."),
        ("Yes. **Deletion** is final.", "yes", "**Deletion** is final."),
        ("Yes\n- the oil\n- the seals", "yes", "- the oil\n- the seals"),
        ("Yes - it runs.", "yes", "it runs."),
        ("**Yes.** **Deletion** is final.", "yes", "**Deletion** is final."),
        ("No.", "no", ""),
        ("no, the sources do not say", "no", "the sources do not say"),
        ("是的，水泵在运行。", "yes", "水泵在运行。"),
        ("否", "no", ""),
        ("Yesterday it ran.", "", "Yesterday it ran."),
        ("Nobody knows.", "", "Nobody knows."),
        ("有三种水泵。", "", "有三种水泵。"),
        ("The pump runs.", "", "The pump runs."),
        ("", "", ""),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_opening_is_read_however_it_is_cut(text: str, word: str, rest: str, size: int) -> None:
    opening = prompts.Opening()

    body = "".join(opening.feed(text[at : at + size]) for at in range(0, len(text), size)) + opening.rest()

    assert body == rest
    assert (opening.says_yes, opening.says_no) == (word == "yes", word == "no")
