"""From the lines of PDF pages to text: hyphens, paragraphs, running heads and headings.

Owns every guess about layout; all of them look at lines with their font and place, never at a PDF library. A guess that is
wrong may cost a blank line or a heading, never a word of the body.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.readers.text.normalisation import collapse

HYPHEN = "\ufffe"
"""Where pdfium joined a word that was broken at a line's end."""

_BULLET = re.compile(
    r"^[\u2022\u25aa\u25cf\u25cb\u25e6\u2023\u00b7\u25a0\u25a1\u2756\u27a2\u2713\u2714\uf0b7\uf0a7\uf0d8\uf0fc\uf076](?=\s)\s*"
)
_DASH = re.compile(r"^[\u2013\u2014\u2212](?=\s)\s*")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
# Ligatures and Kangxi radicals are how some fonts spell ordinary letters and characters.
_PRESENTATION = re.compile("[\ufb00-\ufb06\u2f00-\u2fd5]")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_BROKEN = re.compile(f"(\\w*){HYPHEN}(\\w*)")
_UNFINISHED = re.compile(r"[.,;:。，；：、…|]$")
_LIST_ITEM = re.compile(r"^(?:[•\-*]|\(?[0-9a-zA-Z]{1,2}[.)])\s")
_PAGE_WORDS = re.compile(r"page|seite|of|von|第|页|頁|共|[^\w]|_", re.IGNORECASE)

MIN_RUNNING_PAGES = 4
_LARGER = 1.12  # of the size of the body: what is at least so large is a heading
MAX_HEADING = 80


@dataclass(slots=True)
class Line:
    """One line of a page. `size` in points; `top` and `bottom` are the baselines of its first and last character, in
    points from the page's lower edge. `gap`: whether a blank line goes before it. `runs` are the parts of pdfium's text that
    the line is made of, in its order, each with the position of its first character (in UTF-16 units, as pdfium counts).
    """

    text: str
    size: float
    bold: bool
    top: float
    bottom: float
    gap: bool = False
    level: int = 0
    runs: tuple[tuple[str, int], ...] = ()


Page = list[Line]


def tidy(pages: Sequence[Page], *, headings: bool) -> list[Page]:
    """Pages with clean text, paragraph gaps, no running heads, and heading levels (0 for body) where `headings`."""
    vocabulary = _vocabulary(pages)
    for page in pages:
        for line in page:
            line.text = clean(line.text, vocabulary)
    kept = [[line for line in page if line.text] for page in pages]
    kept = _without_running_lines(kept)
    for page in kept:
        _mark_gaps(page)
    if headings:
        _mark_headings(kept)
    return [_joined_headings(page) for page in kept]


def clean(text: str, vocabulary: Counter[str]) -> str:
    """A line with its bullets, hyphens and odd letter forms made ordinary."""
    if HYPHEN in text:
        text = _BROKEN.sub(lambda match: _rejoin(match[1], match[2], vocabulary), text)
    if not text.isascii():
        text = _BULLET.sub("• ", text.lstrip())
        text = _DASH.sub("- ", text)
        text = _PRIVATE.sub("", text)
        text = _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return collapse(text).strip()


def _vocabulary(pages: Sequence[Page]) -> Counter[str]:
    """Words of the document, counted only if a broken word has to be judged by them."""
    if not any(HYPHEN in line.text for page in pages for line in page):
        return Counter()
    lines = (line.text.casefold() for page in pages for line in page)
    return Counter(word for text in lines for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", text))


def _rejoin(left: str, right: str, vocabulary: Counter[str]) -> str:
    """ "cutting-edge" keeps its hyphen and "informa-tion" loses it, by what the rest of the document writes."""
    whole, hyphenated = (left + right).casefold(), f"{left}-{right}".casefold()
    if vocabulary[whole] != vocabulary[hyphenated]:
        return left + right if vocabulary[whole] > vocabulary[hyphenated] else f"{left}-{right}"
    compound = bool(vocabulary[left.casefold()] and vocabulary[right.casefold()])
    if compound or not left[-1:].isalpha() or not right[:1].islower():
        return f"{left}-{right}"
    return left + right


def _without_running_lines(pages: list[Page]) -> list[Page]:
    """Drop lines at page edges that come back on most pages; the first one stays unless it is a mere page number.

    A line comes back when it is the same, or the same but for a number that counts the pages. The latter stays where it is
    set larger than the body: so begin the pages of a catalogue. No page is emptied.
    """
    if len(pages) < MIN_RUNNING_PAGES:
        return pages
    counts = Counter(key for number, page in enumerate(pages) for key in _running_keys(page, number))
    needed = max(MIN_RUNNING_PAGES, 0.5 * len(pages))
    running = {key for key, count in counts.items() if count >= needed}
    body = _body_size(pages)
    seen: set[str] = set()
    result = []
    for number, page in enumerate(pages):
        dropped = set()
        for i in _edges(page):
            line = page[i]
            keys = [key for key in _keys_of(line, number) if key in running]
            same = line.text.casefold() in keys
            if not keys or (not same and line.size >= _LARGER * body > 0):
                continue
            masked = _DIGITS.sub("#", line.text.casefold())
            if masked in seen or not _PAGE_WORDS.sub("", masked.replace("#", "")):
                dropped.add(i)
            seen.add(masked)
        kept = [line for i, line in enumerate(page) if i not in dropped]
        result.append(kept or page)
    return result


def _running_keys(page: Page, number: int) -> set[str]:
    return {key for i in _edges(page) for key in _keys_of(page[i], number)}


def _keys_of(line: Line, number: int) -> Iterator[str]:
    """A line as it is, and once for each number in it that may be the page's, with what that is ahead of the page's place."""
    text = line.text.casefold()
    yield text
    for match in _DIGITS.finditer(text):
        if len(match[0]) < 6:
            yield f"{text[: match.start()]}#{int(match[0]) - number}#{_DIGITS.sub('#', text[match.end() :])}"


def _edges(page: Page) -> set[int]:
    return {i for i in (0, 1, len(page) - 2, len(page) - 1) if 0 <= i < len(page)}


def _body_size(pages: Sequence[Page]) -> float:
    """The type size of most of the text; 0 where none is known."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _mark_gaps(page: Page) -> None:
    """A paragraph begins where the distance to the line above is clearly larger than usual on the page."""
    steps = [above.bottom - line.top for above, line in pairwise(page)]
    usual = median([step for step in steps if step > 1] or [0])
    for (above, line), step in zip(pairwise(page), steps, strict=True):
        pitch = min(usual, 1.6 * max(line.size, above.size)) if line.size else usual
        line.gap = step > 1.3 * pitch > 0


def _mark_headings(pages: list[Page]) -> None:
    """Give levels to short lines that are set larger than the body, or bold and apart; the largest style is level 1."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    if not sizes:
        return
    body = sizes.most_common(1)[0][0]
    found = [line for page in pages for line in _candidates(page, body)]
    # A document that is mostly large or bold type (a poster, a set of slides) has no headings that mean anything.
    if sum(len(line.text) for line in found) > 0.35 * sizes.total():
        return
    styles = sorted({(line.size, line.bold) for line in found}, reverse=True)
    for line in found:
        line.level = min(styles.index((line.size, line.bold)) + 1, 6)


def _candidates(page: Page, body: float) -> Iterator[Line]:
    for i, line in enumerate(page):
        larger = line.size >= _LARGER * body
        apart = i == 0 or line.gap or bool(page[i - 1].level)
        if not larger and not (line.bold and line.size >= 0.97 * body and apart):
            continue
        text = line.text
        short = 2 <= len(text) <= MAX_HEADING and _WORD.search(text)
        if (short and not _UNFINISHED.search(text) and not _LIST_ITEM.match(text + " ")) or (
            larger and short and _numbered(text)
        ):
            yield line


def _numbered(text: str) -> bool:
    return bool(re.match(r"\d+(?:\.\d+)*\.?\s+\S", text)) and not _UNFINISHED.search(text)


def _joined_headings(page: Page) -> Page:
    """Headings that run over several lines become one line; a gap follows each heading."""
    result: Page = []
    for line in page:
        above = result[-1] if result else None
        if above and above.level and line.level == above.level and 0 < above.bottom - line.top < 1.7 * line.size:
            above.text = f"{above.text} {line.text}"
            above.bottom = line.bottom
            continue
        line.gap = bool(above) and (line.gap or bool(line.level) or bool(above and above.level))
        result.append(line)
    return result
