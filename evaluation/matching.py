"""Whether a passage, a run of evidence or a citation is where the gold says. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.fitting.observations import Place
from evaluation.golden import GoldenQuestion, GoldPlace, GoldSpan, file_matches

# Share of the shorter of two spans that must overlap for one to mean the other.
SAME_SPAN = 0.5


def means_span(place: Place, span: GoldSpan) -> bool:
    """Whether a place and a gold span share at least half of the shorter of them."""
    if not file_matches(span.file, place.filename):
        return False
    shared = min(place.end, span.end) - max(place.start, span.start)
    return shared >= SAME_SPAN * max(1, min(place.end - place.start, span.end - span.start))


def coverage(span: GoldSpan, places: Sequence[Place]) -> float:
    """Share of a gold span's characters that the places hold together, 0..1."""
    held: set[int] = set()
    for place in places:
        if file_matches(span.file, place.filename):
            held.update(range(max(place.start, span.start), min(place.end, span.end)))
    return len(held) / (span.end - span.start)


def mean_coverage(spans: Sequence[GoldSpan], places: Sequence[Place]) -> float:
    """Mean of `coverage` over spans, 0..1."""
    return sum(coverage(span, places) for span in spans) / len(spans)


def is_gold(question: GoldenQuestion, place: Place) -> bool:
    """Whether a place is in a gold document, or on a gold page where the gold names pages."""
    if question.relevant:
        pages: list[int | None] = [*pages_of(place)] or [None]
        return any(is_at(gold, place.filename, page) for gold in question.relevant for page in pages)
    return not question.spans or any(file_matches(span.file, place.filename) for span in question.spans)


def pages_of(place: Place) -> range:
    """The pages that a place touches, 1-based; empty for formats without pages."""
    return range(place.page, (place.page_end or place.page) + 1) if place.page else range(0)


def touches(gold: GoldPlace, place: Place) -> bool:
    """Whether some page of a place is at this gold place."""
    pages: list[int | None] = [*pages_of(place)] or [None]
    return any(is_at(gold, place.filename, page) for page in pages)


def is_at(gold: GoldPlace, filename: str, page: int | None) -> bool:
    """Whether a page (None: of a format without pages) of this file is at a gold place."""
    return file_matches(gold.file, filename) and (not gold.pages or page in gold.pages)
