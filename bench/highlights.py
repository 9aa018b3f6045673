"""How exactly citations are marked on PDF pages: `python -m bench.highlights FILE...`.

Takes random runs of words of a document's text, has their boxes found, and reads the page inside those boxes back with
pdfium. A word counts when it is read there. Must not use the alignment that it measures to read back.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.readers.pdf import reader as pdf
from ingest.readers.pdf.alignment import fold
from ingest.readers.pdf.boxes import boxes_of
from ingest.readers.pdf.forms import Box

_MAX_WORDS = 40
# pdfium reads all that touches a box, neighbours too, so it is asked for a box that is smaller by these margins.
_ACROSS = 0.8  # points
_ALONG = 0.04  # of the height
_BROKEN = re.compile("[\x02\ufffe]\\s*$")


@dataclass(slots=True)
class Tally:
    """Words that were cited, those of them read in their boxes, spans, and spans that read back letter by letter."""

    words: int = 0
    matched: int = 0
    spans: int = 0
    exact: int = 0

    @property
    def share(self) -> float:
        """Of the cited words, those whose boxes hold them; 0..1."""
        return self.matched / self.words if self.words else 1.0

    def add(self, other: Tally) -> None:
        """Count another tally too."""
        self.words += other.words
        self.matched += other.matched
        self.spans += other.spans
        self.exact += other.exact


def measure(path: Path, *, spans: int, seed: int = 1) -> Tally:
    """Mark `spans` random spans of every page of a PDF and read them back."""
    import pypdfium2 as pdfium

    tally, chance = Tally(), random.Random(seed)  # noqa: S311  # not for secrets
    parsed = pdf.read(path)
    with closing(pdfium.PdfDocument(path)) as document:
        for page_span in parsed.pages:
            text = parsed.text[page_span.start : page_span.end]
            with closing(document[page_span.number - 1]) as page:
                for start, end in _random_spans(text, spans, chance):
                    tally.add(check(document, page, text, start, end))
    return tally


def _random_spans(text: str, spans: int, chance: random.Random) -> Iterator[tuple[int, int]]:
    words = [match.span() for match in re.finditer(r"\S+", text) if match[0] != "|"]
    for _ in range(spans if words else 0):
        first = chance.randrange(len(words))
        last = min(first + chance.randrange(1, _MAX_WORDS), len(words)) - 1
        yield words[first][0], words[last][1]


def check(document: Any, page: Any, text: str, start: int, end: int) -> Tally:
    """Mark characters [start, end) of a page's text and read them back."""
    with closing(page.get_textpage()) as text_page:
        lines = [read_box(text_page, box) for box in boxes_of(document, page, text, start=start, end=end).boxes]
    shown = "".join(_BROKEN.sub("-", line) if _BROKEN.search(line) else f"{line} " for line in lines)
    found = Counter(_folded(word) for word in shown.split())
    cited = [folded for word in text[start:end].split() if word != "|" and (folded := _folded(word))]
    matched = sum((Counter(cited) & found).values())
    return Tally(len(cited), matched, 1, "".join(cited) == _folded(shown))


def read_box(text_page: Any, box: Box) -> str:
    """What pdfium reads inside a box."""
    left, bottom, right, top = box
    across, along = min(_ACROSS, (right - left) / 5), _ALONG * (top - bottom)
    return str(text_page.get_text_bounded(left + across, bottom + along, right - across, top - along))


def _folded(text: str) -> str:
    return "".join(map(fold, text))


def main() -> int:
    """Print the share of each file and of all."""
    total = Tally()
    for name in sys.argv[1:]:
        tally = measure(Path(name), spans=4)
        total.add(tally)
        print(f"{tally.share:.4f}  {tally.words:6} words, {tally.exact}/{tally.spans} spans exact  {Path(name).name}")
    print(f"{total.share:.4f}  {total.words:6} words, {total.exact}/{total.spans} spans exact  all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
