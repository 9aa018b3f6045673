"""The golden file: what a line may say, and how a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.golden import GoldPlace, file_matches, parse_golden, read_golden, unknown_files
from rag.errors import ConfigurationError
from tests.evaluation.subjects import golden, span

GOOD = '{"question": "How hot?", "relevant": ["a.md"], "answers": ["40"]}'


def test_a_line_says_where_and_what() -> None:
    (found,) = golden(
        '{"question": " How hot? ", "answerable": true, "relevant": ["a.md", {"file": "b.pdf", "page": 3},'
        ' {"file": "b.pdf", "pages": [7, 8], "grade": 2}], "answers": ["40"],'
        ' "spans": [{"file": "a.md", "start": 2, "end": 9}], "id": 7, "meta": {"by": "me"}}'
    )

    assert found.question == "How hot?"
    assert found.relevant == (GoldPlace("a.md"), GoldPlace("b.pdf", (3,)), GoldPlace("b.pdf", (7, 8), 2.0))
    assert found.spans == (span("a.md", 2, 9),)
    assert not found.draft


def test_grades_may_be_given_by_file() -> None:
    (found,) = golden('{"question": "Q?", "relevant": {"a.md": 2, "b.md": 1}}')

    assert found.relevant == (GoldPlace("a.md", grade=2.0), GoldPlace("b.md", grade=1.0))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"question": "Q?"', "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"question": " "}', '"question" must be a text'),
        ('{"question": "Q?", "awnsers": ["a"]}', "unknown key 'awnsers'"),
        ('{"question": "Q?", "answerable": "yes"}', '"answerable" must be true or false'),
        ('{"question": "Q?", "answers": "a"}', '"answers" must be a list'),
        ('{"question": "Q?", "answers": [""]}', "none of them empty"),
        ('{"question": "Q?"}', "an answerable question needs"),
        ('{"question": "Q?", "answerable": false, "answers": ["a"]}', "must be empty"),
        ('{"question": "Q?", "relevant": "a.md"}', '"relevant" must be a list'),
        ('{"question": "Q?", "relevant": [7]}', "something other than a file name"),
        ('{"question": "Q?", "relevant": [{"page": 1}]}', 'without a "file"'),
        ('{"question": "Q?", "relevant": [{"file": "a", "page": 0}]}', "whole numbers from 1"),
        ('{"question": "Q?", "relevant": {"a": 0}}', "must be a number above 0"),
        ('{"question": "Q?", "spans": {}}', '"spans" must be a list'),
        ('{"question": "Q?", "spans": [{"file": "a"}]}', '"start" and "end"'),
        ('{"question": "Q?", "spans": [{"file": "a", "start": 5, "end": 5}]}', '0 <= "start" < "end"'),
    ],
)
def test_a_wrong_line_is_named(line: str, problem: str) -> None:
    questions, problems = parse_golden([GOOD, "", line])

    assert len(questions) == 1
    assert len(problems) == 1
    assert problems[0].startswith("3: ")
    assert problem in problems[0]


def test_all_wrong_lines_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text("\n".join(["{", GOOD, "[]", *["{}"] * 30]), encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        read_golden(path)

    assert "golden.jsonl:1: not JSON" in caught.value.message
    assert "golden.jsonl:3: expected" in caught.value.message
    assert caught.value.message.endswith("and 12 more")


def test_drafts_are_refused_unless_wanted(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(GOOD + "\n" + GOOD[:-1] + ', "draft": true}\n', encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"1 drafts \(the first on line 2\)"):
        read_golden(path)
    assert len(read_golden(path, drafts=True)) == 2
    assert len(read_golden(path, drafts=True, limit=1)) == 1


@pytest.mark.parametrize(("content", "reason"), [(None, "cannot be read"), ("\n", "no questions"), (b"\xff", "UTF-8")])
def test_a_file_that_is_no_golden_file(tmp_path: Path, content: str | bytes | None, reason: str) -> None:
    path = tmp_path / "golden.jsonl"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(ConfigurationError, match=reason):
        read_golden(path)


def test_files_match_with_or_without_extension_in_either_normal_form() -> None:
    assert file_matches("a.md", "a.md")
    assert file_matches("a", "a.md")
    assert file_matches("e\u0301.md", "\u00e9.md")
    assert not file_matches("a", "ab.md")
    assert not file_matches("a.md", "a.pdf")


def test_gold_files_that_nobody_has_are_found() -> None:
    questions = golden(GOOD, '{"question": "Q?", "spans": [{"file": "z.md", "start": 0, "end": 1}]}')

    assert unknown_files(questions, ["a.md", "b.md"]) == ["z.md"]
    assert unknown_files(questions, ["a.md", "z.md"]) == []
