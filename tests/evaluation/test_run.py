"""A run over a scripted subject, and the report that is written of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.fitting.observations import Found
from evaluation.intervals import compare, figures
from evaluation.report import Measured, badness, write_report
from evaluation.run import run
from rag.errors import ConfigurationError, UnavailableError
from tests.evaluation.subjects import Scripted, place, places, question, reply

HOT, OFF, ODD = (
    question("How hot?", relevant=places("a.md"), answers=("40",)),
    question("Off?", answerable=False),
    question("Odd?", answers=("x",)),
)
FOUND = Found((place("a.md", text="40 `bar`\n# not a heading", score=0.9),), 3.0, (place("a.md", text="40"),), 1.0, 0.8)


def scripted() -> Scripted:
    cited = (place("a.md", 0, 3, "012", n=1),)
    return Scripted(
        {"How hot?": FOUND, "Off?": Found((), 2.0, (), 1.0, 0.1)},
        {"How hot?": reply("40 [1].", citations=cited, groundedness=1.0), "Off?": reply("Blue.")},
    )


def test_a_question_that_fails_does_not_end_the_run() -> None:
    subject = scripted()
    progress: list[int] = []

    outcomes = run(subject, [HOT, ODD, OFF], ask=True, on_progress=progress.append)

    assert [outcome.error for outcome in outcomes] == ["", "down", ""]
    assert progress == [1, 2, 3]
    assert subject.asked == ["How hot?", "How hot?", "Off?"]  # the first once more, to warm up
    found = figures([outcome.row for outcome in outcomes])
    assert found["errors"].value == pytest.approx(1 / 3)
    assert found["false_answer"].value == found["accuracy"].value == found["exact_quotes"].value == 1
    assert (found["retrieve_ms_p50"].value, found["retrieve_ms_p50"].n) == (2.5, 2)


def test_searching_alone_asks_nothing() -> None:
    subject = scripted()

    (outcome,) = run(subject, [HOT], ask=False)

    assert outcome.reply is None
    assert subject.asked == []
    assert outcome.row["evidence_recall_given"] == 1


def test_a_subject_that_is_down_ends_the_run() -> None:
    with pytest.raises(UnavailableError, match="No question could be put: down"):
        run(Scripted({}), [HOT] * 9, ask=True)


def test_the_worst_come_first() -> None:
    hot, odd, off = run(scripted(), [HOT, ODD, OFF], ask=True)

    assert badness(odd) > badness(off) > badness(hot) == 0


def test_a_report_of_two_runs(tmp_path: Path) -> None:
    outcomes = run(scripted(), [HOT, ODD, OFF], ask=True)
    rows = [outcome.row for outcome in outcomes]
    runs = [Measured(label, f"`{label}.env`", outcomes, figures(rows)) for label in "AB"]

    path = write_report(tmp_path / "new" / "report", "Evaluation", runs, compare(rows, rows))

    text = path.read_text(encoding="utf-8")
    for expected in (
        "## A and B",
        "no difference shown",
        "## Figures of B",
        "## Worst questions of B",
        "](recall.png)",
    ):
        assert expected in text
    assert "![risk against coverage](risk-coverage.png)" in text
    assert text.index("`Odd?`") < text.index("`Off?`")
    assert "`How hot?`" not in text  # nothing was wrong with it
    for picture in ("recall.png", "risk-coverage.png", "times.png"):
        assert (path.parent / picture).read_bytes().startswith(b"\x89PNG")
    lines = (path.parent / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["error"] for line in lines] == [None, "down", None]


def test_documents_put_no_markup_into_a_report(tmp_path: Path) -> None:
    subject = Scripted({"How hot?": FOUND}, {"How hot?": reply("# 41\n![x](y) `code`")})
    outcomes = run(subject, [HOT], ask=True)

    path = write_report(tmp_path, "T", [Measured("c", "x", outcomes, figures([outcomes[0].row]))], {})

    text = path.read_text(encoding="utf-8")
    assert "- answer: `# 41 ![x](y) 'code'`" in text
    assert "`40 'bar' # not a heading`" in text
    assert not (tmp_path / "risk-coverage.png").exists()  # all answerable


def test_a_report_without_faults_or_place(tmp_path: Path) -> None:
    outcomes = run(scripted(), [HOT], ask=False)
    measured = [Measured("c", "x", outcomes, figures([outcomes[0].row]))]

    assert "came out right" in write_report(tmp_path, "T", measured, {}).read_text(encoding="utf-8")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_report(tmp_path / "file" / "below", "T", measured, {})
