"""Figures as text: aligned for a terminal, as Markdown for a report, as plain values for JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from evaluation.fitting.certainty import Fit
from evaluation.intervals import Difference, Figure

Cells = Sequence[Sequence[str]]


def figure_cells(figures: Mapping[str, Figure]) -> list[list[str]]:
    """A header and a row a figure."""
    rows = [["figure", "value", "95 % interval", "questions"]]
    for name, found in figures.items():
        digits = _digits(name)
        rows.append(
            [name, f"{found.value:.{digits}f}", f"{found.low:.{digits}f} to {found.high:.{digits}f}", str(found.n)]
        )
    return rows


def difference_cells(differences: Mapping[str, Difference]) -> list[list[str]]:
    """A header and a row a figure; times are compared by their means."""
    rows = [["figure", "A", "B", "B - A", "95 % interval", "p", "questions", "B is"]]
    for name, found in differences.items():
        digits = _digits(name)
        interval = f"{found.low:+.{digits}f} to {found.high:+.{digits}f}"
        rows.append(
            [
                name,
                f"{found.a:.{digits}f}",
                f"{found.b:.{digits}f}",
                f"{found.difference:+.{digits}f}",
                interval,
                f"{found.p:.4f}",
                str(found.n),
                found.verdict,
            ]
        )
    return rows


def fit_cells(fits: Sequence[Fit]) -> list[list[str]]:
    """A header and a row a set."""
    rows = [["judgement", "set", "rows", "false_answer", "false_abstain", "AUC"]]
    for fit in fits:
        shares = [f"{share:.3f}" for share in (fit.false_answer, fit.false_abstain, fit.auc)]
        rows.append([fit.judgement, fit.set, str(fit.rows), *shares])
    return rows


def as_text(cells: Cells) -> str:
    """Columns aligned by spaces: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        first, *others = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)


def as_markdown(cells: Cells) -> str:
    """A Markdown table."""
    header, *body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join([header, "|" + "---|" * len(cells[0]), *body])


def as_values(found: Mapping[str, Figure] | Mapping[str, Difference]) -> dict[str, dict[str, float | int | str]]:
    """For JSON: fractions rounded to five places, times to two."""
    return {
        name: {
            key: round(value, 2 if "_ms" in name and key != "p" else 5) if isinstance(value, float) else value
            for key, value in asdict(item).items()
        }
        for name, item in found.items()
    }


def _digits(figure: str) -> int:
    return 1 if "_ms" in figure else 3
