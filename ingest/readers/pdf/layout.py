"""From the lines of PDF pages to text: paragraphs, running heads and headings.

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

from ingest.readers.pdf.hyphens import HYPHENS, Words, join, words_of
from ingest.readers.text.normalisation import collapse

_BULLET = re.compile(
    r"^[\u2022\u25aa\u25cf\u25cb\u25e6\u2023\u00b7\u25a0\u25a1\u2756\u27a2\u2713\u2714\uf0b7\uf0a7\uf0d8\uf0fc\uf076](?=\s)\s*"
)
_DASH = re.compile(r"^[\u2013\u2014\u2212](?=\s)\s*")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
# Ligatures and Kangxi radicals are how some fonts spell ordinary letters and characters.
_PRESENTATION = re.compile("[\ufb00-\ufb06\u2f00-\u2fd5]")
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_UNFINISHED = re.compile(r"[.,;:。，；：、…|]$")
_CLOSED = re.compile(r"[.!?:。！？：][\"'”’)]?$")
_LIST_ITEM = re.compile(r"^(?:[•\-*]|\(?[0-9a-zA-Z]{1,2}[.)])\s")
_PAGE_WORDS = re.compile(r"page|seite|of|von|第|页|頁|共|[^\w]|_", re.IGNORECASE)

_NUMBERED_PAGE = re.compile(
    r"(?:page|seite|p\.|s\.|p[aá]gina|第)\s*\d{1,4}\s*(?:[页頁]?(?:\s*(?:/|of|von|sur|de|共)\s*\d{1,4}\s*[页頁]?)?)"
    r"|[-–—·]\s*\d{1,4}\s*[-–—·]|共\s*\d{1,4}\s*[页頁]\s*第\s*\d{1,4}\s*[页頁]",
    re.IGNORECASE,
)
_MARGIN = 60  # points from the lower edge, where nothing but a foot stands
_APART = 2.5  # type sizes between a page number and the text

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
    for page in pages:
        for line in page:
            line.text = clean(line.text)
    words = words_of(line.text for page in pages for line in page)
    kept = [[line for line in page if line.text] for page in pages]
    kept = _without_running_lines(kept)
    _join_words(kept, words)
    for page in kept:
        _mark_gaps(page)
    if headings:
        _mark_headings(kept)
    return [_joined_headings(page) for page in kept]


def clean(text: str) -> str:
    """A line with its bullets, hyphens and odd letter forms made ordinary."""
    if not text.isascii():
        if text[-1] in HYPHENS:  # a soft one is seen at the end of a line
            text = f"{text[:-1]}-"
        text = _BULLET.sub("• ", text.lstrip())
        text = _DASH.sub("- ", text)
        text = _PRIVATE.sub("", text)
        text = _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return collapse(text).strip()


def _join_words(pages: Sequence[Page], words: Words) -> None:
    """Put words together that are broken between two lines, or pages, in the upper one; a line of which nothing is left goes."""
    upper: Line | None = None
    for page in pages:
        turned = True  # whether the page has been turned since
        for line in list(page):
            if upper is not None and upper.text[-1] in HYPHENS and _alike(upper, line):
                joined = join(upper.text, line.text, words)
                if joined and not (turned and not line.text[0].islower()):
                    upper.text, line.text = joined
            if line.text:
                upper = line
                turned = False
        page[:] = [line for line in page if line.text]


def _alike(upper: Line, lower: Line) -> bool:
    """Whether two lines are of one size, so that a word may go on from one to the other."""
    return abs(upper.size - lower.size) <= 0.1 * max(upper.size, lower.size)


def _without_running_lines(pages: list[Page]) -> list[Page]:
    """Drop lines at page edges that come back on most pages; the first one stays unless it is a mere page number.

    A line comes back when it is the same, or the same but for a number that counts the pages. The latter stays where it is
    set larger than the body: so begin the pages of a catalogue. In a document of a few pages it must come back on each, in
    the same place. No page is emptied.
    """
    few = len(pages) < MIN_RUNNING_PAGES
    counts = Counter(key for number, page in enumerate(pages) for key in _running_keys(page, number, placed=few))
    needed = max(len(pages), 2) if few else max(MIN_RUNNING_PAGES, 0.5 * len(pages))
    running = {key for key, count in counts.items() if count >= needed}
    body = _body_size(pages)
    seen: set[str] = set()
    result = []
    for number, page in enumerate(pages):
        dropped = set()
        for i in _edges(page):
            line = page[i]
            if _is_page_number(page, i, number):
                dropped.add(i)
                continue
            keys = [key for key in _keys_of(line, number, placed=few) if key in running]
            same = bool(keys) and "#" not in keys[0]
            if not keys or (not same and line.size >= _LARGER * body > 0):
                continue
            masked = _DIGITS.sub("#", line.text.casefold())
            if masked in seen or not _PAGE_WORDS.sub("", masked.replace("#", "")):
                dropped.add(i)
            seen.add(masked)
        kept = [line for i, line in enumerate(page) if i not in dropped]
        result.append(kept or page)
    return result


def _is_page_number(page: Page, index: int, number: int) -> bool:
    """Whether a line is a printed page number: at the very edge of its page, and either in words, or apart from the text
    and the number of the page (0-based `number`) or in the lower margin.
    """
    if len(page) < 2 or index not in (0, len(page) - 1):
        return False
    text = page[index].text
    if _NUMBERED_PAGE.fullmatch(text):
        return True
    bare = re.fullmatch(r"(\d{1,4})(?:\s*/\s*\d{1,4})?", text)
    in_margin = index > 0 and page[index].size > 0 and 0 < page[index].top < _MARGIN
    if not bare or not (int(bare[1]) == number + 1 or in_margin):
        return False
    one, other = (page[0], page[1]) if index == 0 else (page[-2], page[-1])
    return one.bottom - other.top > _APART * max(one.size, other.size, 1.0)


def _running_keys(page: Page, number: int, *, placed: bool) -> set[str]:
    return {key for i in _edges(page) for key in _keys_of(page[i], number, placed=placed)}


def _keys_of(line: Line, number: int, *, placed: bool) -> Iterator[str]:
    """A line as it is, and once for each number in it that may be the page's, with what that is ahead of the page's place;
    with the height that it stands at where it is `placed`.
    """
    text = line.text.casefold()
    place = f"@{round(line.top / 4)}" if placed else ""
    yield text.replace("#", " ") + place
    for match in _DIGITS.finditer(text):
        if len(match[0]) < 6:
            yield f"{text[: match.start()]}#{int(match[0]) - number}#{_DIGITS.sub('#', text[match.end() :])}{place}"


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
    """A paragraph begins where the distance to the line above is clearly larger than usual on the page, or with a column
    after a sentence that is closed.
    """
    steps = [above.bottom - line.top for above, line in pairwise(page)]
    usual = median([step for step in steps if step > 1] or [0])
    for (above, line), step in zip(pairwise(page), steps, strict=True):
        pitch = min(usual, 1.6 * max(line.size, above.size)) if line.size else usual
        line.gap = step > 1.3 * pitch > 0 or (step < -2 * pitch < 0 and bool(_CLOSED.search(above.text)))


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
