"""The report of a run: report.md with its tables, pictures and worst questions, and outcomes.jsonl with every question.

Writes into the folder that it is given and nowhere else. The folder holds document text and questions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation import plots
from evaluation.fitting.observations import Place
from evaluation.intervals import Difference, Figure
from evaluation.run import Outcome
from evaluation.tables import as_markdown, difference_cells, figure_cells
from rag.errors import ConfigurationError

WORST = 20
SHOWN_PASSAGES = 5
SHOWN_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with its name ("A", "B" or the collection's), what it was a run of, and its figures."""

    label: str
    about: str
    outcomes: Sequence[Outcome]
    figures: Mapping[str, Figure]


def write_report(folder: Path, title: str, runs: Sequence[Measured], differences: Mapping[str, Difference]) -> Path:
    """Write the report; the path of report.md. The worst questions are those of the last run.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    last = runs[-1]
    parts = [f"# {title}", "\n".join(f"- {run.label}: {run.about}; {len(run.outcomes)} questions" for run in runs)]
    if differences:
        parts += ["## A and B", as_markdown(difference_cells(differences))]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for run in runs:
            parts += [f"## Figures of {run.label}", as_markdown(figure_cells(run.figures))]
        parts += _pictures(folder, runs)
        parts += ["## Worst questions" + (f" of {last.label}" if len(runs) > 1 else ""), *_worst(last.outcomes)]
        (folder / "outcomes.jsonl").write_text(
            "".join(_line(outcome) + "\n" for outcome in last.outcomes), encoding="utf-8"
        )
        path = folder / "report.md"
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The report cannot be written to {folder}: {error.strerror}.") from error
    return path


def badness(outcome: Outcome) -> float:
    """How much is wrong with an outcome: 0 for nothing; failing counts most, then answering wrongly, then finding
    late.
    """
    row = outcome.row
    wrong = 4 * row.get("errors", 0) + 3 * row.get("false_answer", 0) + 2 * row.get("false_abstain", 0)
    if not row.get("false_abstain"):
        wrong += 1.5 * (1 - row.get("accuracy", 1)) + (1 - row.get("citation_precision", 1)) / 2
    return wrong + (1 - row.get("ndcg@10", 1)) + (1 - row.get("evidence_recall_given", 1))


def _pictures(folder: Path, runs: Sequence[Measured]) -> list[str]:
    figures = {run.label: run.figures for run in runs}
    drawn = []
    if plots.plot_recall(folder / "recall.png", figures):
        drawn.append("![recall against k](recall.png)")
    seen = [outcome for outcome in runs[-1].outcomes if outcome.found is not None]
    if plots.plot_risk(
        folder / "risk-coverage.png",
        [confidence(outcome) for outcome in seen],
        [outcome.question.answerable for outcome in seen],
        worked_at=_operating_point(seen),
    ):
        drawn.append("![risk against coverage](risk-coverage.png)")
    if plots.plot_times(folder / "times.png", figures):
        drawn.append("![time per stage](times.png)")
    return ["## Pictures", *drawn] if drawn else []


def confidence(outcome: Outcome) -> float:
    """The answer's confidence, 0..1; else that before the model; else the best passage's score, where neither is
    shown.
    """
    assert outcome.found is not None
    if outcome.reply is not None and outcome.reply.confidence is not None:
        return outcome.reply.confidence
    if outcome.found.confidence is not None:
        return outcome.found.confidence
    return max((place.score for place in outcome.found.passages), default=0.0)


def _operating_point(outcomes: Sequence[Outcome]) -> tuple[float, float] | None:
    asked = [outcome for outcome in outcomes if outcome.reply is not None]
    answered = [outcome for outcome in asked if outcome.reply and outcome.reply.answered]
    if not answered:
        return None
    risk = sum(not outcome.question.answerable for outcome in answered) / len(answered)
    return len(answered) / len(asked), risk


def _worst(outcomes: Sequence[Outcome]) -> list[str]:
    bad = sorted((outcome for outcome in outcomes if badness(outcome) > 0), key=badness, reverse=True)
    if not bad:
        return ["None: every question that was measured came out right."]
    left = [f"{len(bad) - WORST} more are in outcomes.jsonl."] if len(bad) > WORST else []
    return [*(_described(outcome) for outcome in bad[:WORST]), *left]


def _described(outcome: Outcome) -> str:
    question, reply = outcome.question, outcome.reply
    lines = [f"### Line {question.line}: {_inline(question.question)}", ""]
    expected = [f"{place.file}" + (f" p. {place.pages[0]}" if place.pages else "") for place in question.relevant]
    expected += [f"{span.file} {span.start}-{span.end}" for span in question.spans]
    lines.append(f"- expected: {', '.join(map(_inline, expected)) if question.answerable else 'no answer'}")
    if question.answers:
        lines.append(f"- gold: {_inline(' / '.join(question.answers))}")
    if outcome.error:
        lines.append(f"- error: {_inline(outcome.error)}")
    if reply is not None:
        lines.append(f"- answer{'' if reply.answered else f' (not answered, {reply.reason})'}: {_inline(reply.text)}")
    for rank, place in enumerate(outcome.found.passages[:SHOWN_PASSAGES] if outcome.found else (), start=1):
        lines.append(f"- retrieved {rank}: {_place(place)} {_inline(place.text)}")
    return "\n".join(lines)


def _place(place: Place) -> str:
    page = f" p. {place.page}" if place.page else ""
    return f"{_inline(place.filename)}{page} ({place.score:.3f})"


def _inline(text: str) -> str:
    """One line of literal text: a document must not put headings, links or markup into the report."""
    flat = " ".join(text.split()).replace("`", "'")
    return f"`{flat[:SHOWN_CHARACTERS]}{'…' if len(flat) > SHOWN_CHARACTERS else ''}`" if flat else "(nothing)"


def _line(outcome: Outcome) -> str:
    reply = outcome.reply
    return json.dumps(
        {
            "line": outcome.question.line,
            "question": outcome.question.question,
            "answerable": outcome.question.answerable,
            "measures": {name: round(value, 5) for name, value in outcome.row.items()},
            "confidence": round(confidence(outcome), 5) if outcome.found else None,
            "answered": reply.answered if reply else None,
            "reason": reply.reason if reply else None,
            "answer": reply.text if reply else None,
            "retrieved": [
                {"filename": place.filename, "page": place.page, "start": place.start, "end": place.end}
                for place in (outcome.found.passages[:SHOWN_PASSAGES] if outcome.found else ())
            ],
            "error": outcome.error or None,
        },
        ensure_ascii=False,
    )
