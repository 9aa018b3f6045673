"""From a document to chunks: spans that fit the embedder's window and end where the text itself pauses.

Owns where chunks begin and end. Pure: no I/O, no model besides the token counter. The text is cut into units (sentences,
lines of tables, pieces of overlong sentences); the best way to group neighbouring units is found by dynamic programming
over three costs: distance from the target size, weakness of the place cut at, and headings or pages that a chunk runs over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.pipeline.boundaries import Unit, join_tiny, safe_cut, split_atoms, split_units
from rag.ports import TokenCounter
from rag.text.language import trim
from rag.types import Chunk, Heading, PageList, ParsedDocument

SEPARATOR = " > "

# A tokenizer counts a word of a million letters as one token; what searches and reads passages does not.
MAX_CHARACTERS = 4000

# What it costs a chunk to run over a heading, in units of "a chunk 100 % off its target" (as all costs in `units`).
_RUN_SUBSECTION, _RUN_SECTION, _RUN_PARENT = 0.25, 0.35, 1.2
_RUN_FROM_WITHIN = (
    0.5  # on top, when the chunk began in the middle of a section: its heading would not speak for the rest
)
_SPLINTER = 0.3  # for ending in the middle of a section that it ran into
_TINY, _TINY_COST = 0.25, 0.7
_LARGEST = 1.25
_GRAINS = 16  # units smaller than this part of the target are not worth a choice

_ATOM_LENGTHS = (16, 4, 1)


@dataclass(slots=True)
class _Draft:
    """A document on its way to chunks."""

    document: ParsedDocument
    units: list[Unit]
    paths: list[list[str]]  # for each heading, the titles that lead to it
    labels: list[str | None]
    label_tokens: list[int]
    exact: bool = True  # whether tokens add up: no sentence and no title was cut within


def chunk_document(document: ParsedDocument, tokens: TokenCounter, *, target_tokens: int) -> list[Chunk]:
    """Chunks of one document; see `chunk_documents`."""
    return chunk_documents([document], tokens, target_tokens=target_tokens)[0]


def chunk_documents(
    documents: Sequence[ParsedDocument], tokens: TokenCounter, *, target_tokens: int
) -> list[list[Chunk]]:
    """Chunks of each document in reading order, covering every character that is not white space, without overlap.

    `target_tokens` is the size aimed at for a chunk's text, capped by the window. `text[start:end] == chunk.text`, and
    `chunk.embedding_text` is at most `tokens.max_tokens` tokens long, and a chunk at most `MAX_CHARACTERS` characters; a heading path that would take more than a third
    of the window loses its beginning. All units of all documents are counted in one call; further
    small ones follow only for sentences and chunks that do not fit, or hardly.
    """
    drafts = [_Draft(document, split_units(document), _paths(document.headings), [], []) for document in documents]
    _count(drafts, tokens)
    _split_overlong(drafts, tokens)
    for draft in drafts:
        draft.units = join_tiny(draft.units, min(target_tokens, tokens.max_tokens) // _GRAINS)
    grouped = [_group(draft, tokens.max_tokens, target_tokens) for draft in drafts]
    _make_fit(drafts, grouped, tokens)
    return [_chunks(draft, chunks) for draft, chunks in zip(drafts, grouped, strict=True)]


# --- counting ---


def _count(drafts: list[_Draft], tokens: TokenCounter) -> None:
    """Fill in the tokens of units and heading paths: one call for everything."""
    titles = list({title: None for draft in drafts for path in draft.paths for title in path})
    texts = [draft.document.text[unit.start : unit.end] for draft in drafts for unit in draft.units]
    if not texts:
        return
    counts = tokens.count_tokens([SEPARATOR, *titles, *texts])
    lengths = dict(zip(titles, counts[1:], strict=False))
    of_texts = iter(counts[1 + len(titles) :])
    for draft in drafts:
        for unit in draft.units:
            unit.tokens = next(of_texts)
        for path in draft.paths:
            label, length, whole = _label(path, lengths, counts[0], tokens.max_tokens // 3)
            draft.exact &= whole
            draft.labels.append(label)
            draft.label_tokens.append(length)


def _paths(headings: Sequence[Heading]) -> list[list[str]]:
    stack: list[Heading] = []
    paths = []
    for heading in headings:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        titles = [each.title for each in stack]
        paths.append([title for i, title in enumerate(titles) if title and titles[i - 1 : i] != [title]])
    return paths


def _label(path: list[str], lengths: dict[str, int], separator: int, budget: int) -> tuple[str | None, int, bool]:
    """The end of a heading path that fits the budget, its tokens, and whether its titles are whole."""
    kept: list[str] = []
    total = 0
    for title in reversed(path):
        length = lengths[title] + (separator if kept else 0)
        if total + length > budget:
            break
        kept.insert(0, title)
        total += length
    if not kept and path and budget > 1:
        # One title alone is too long. Tokens are taken to spread evenly over it; `_make_fit` has the last word.
        share = path[-1][: len(path[-1]) * budget // lengths[path[-1]]].rstrip()
        return share or None, budget if share else 0, False
    return (SEPARATOR.join(kept) or None), total, True


# --- overlong sentences ---


def _split_overlong(drafts: list[_Draft], tokens: TokenCounter) -> None:
    """Replace each unit that fits no chunk by atoms, ever smaller ones until they fit."""
    for length in _ATOM_LENGTHS:
        fresh: list[tuple[str, Unit]] = []
        for draft in drafts:
            text, result = draft.document.text, list[Unit]()
            for unit in draft.units:
                if unit.tokens <= _room(draft, unit, tokens.max_tokens):
                    result.append(unit)
                    continue
                draft.exact = False
                atoms = split_atoms(text, unit, length)
                fresh.extend((text, atom) for atom in atoms)
                result.extend(atoms)
            draft.units = result
        if not fresh:
            return
        counts = tokens.count_tokens([text[atom.start : atom.end] for text, atom in fresh])
        for (_, atom), count in zip(fresh, counts, strict=True):
            atom.tokens = count


def _room(draft: _Draft, unit: Unit, window: int) -> int:
    """Tokens that a chunk which begins with this unit may hold besides its heading path."""
    return max(window - (draft.label_tokens[unit.section] if unit.section >= 0 else 0), 1)


# --- grouping ---


def _group(draft: _Draft, window: int, target: int) -> list[Unit]:
    """The units of each chunk as one large unit."""
    came_from = _cheapest_cuts(draft, window, target)
    chunks = []
    end = len(draft.units)
    while end:
        members = draft.units[came_from[end] : end]
        head, last = members[0], members[-1]
        size, blank = sum(unit.tokens for unit in members), sum(unit.blank - unit.end + unit.start for unit in members)
        blank += last.end - head.start
        chunks.append(Unit(head.start, last.end, head.cut, section=head.section, tokens=size, blank=blank))
        end = came_from[end]
    return chunks[::-1]


def _cheapest_cuts(draft: _Draft, window: int, target: int) -> list[int]:
    """For each number of units, where the last chunk begins in the cheapest parting of that many units."""
    units, count = draft.units, len(draft.units)
    headings = draft.document.headings
    best = [0.0] + [float("inf")] * count
    came_from = [0] * (count + 1)
    cuts = [unit.cut for unit in units] + [0.0]
    for first, head in enumerate(units):
        room = _room(draft, head, window)
        aim, limit = min(target, room), min(room, int(_LARGEST * target))
        level = headings[head.section].level if head.section >= 0 else 0
        stray = 0.0 if head.opens else _RUN_FROM_WITHIN
        size, cost, splinter = head.tokens, best[first], 0.0
        for last in range(first, count):
            if last > first:
                unit = units[last]
                size += unit.tokens
                if size > limit:
                    break
                cost += unit.run
                if unit.opens:
                    cost += stray + _run_cost(unit.opens, level)
                    level, splinter = min(level, unit.opens), _SPLINTER
            off = (size - aim) / aim
            total = cost + (off * off if off < 0 else 3 * off * off) + (_TINY_COST if size < _TINY * aim else 0.0)
            if cuts[last + 1]:
                total += cuts[last + 1] + splinter
            if total < best[last + 1]:
                best[last + 1], came_from[last + 1] = total, first
    return came_from


def _run_cost(opens: int, level: int) -> float:
    """Cost of a chunk, begun in a section of `level` (0 for none), running over a heading of level `opens`."""
    if not level or opens == level:
        return _RUN_SECTION
    return _RUN_SUBSECTION if opens > level else _RUN_PARENT


# --- fitting ---


def _make_fit(drafts: list[_Draft], grouped: list[list[Unit]], tokens: TokenCounter) -> None:
    """Count the finished chunks that may be over the window, and halve those that are.

    Between whole sentences tokens add up, but for the white space there and one at a boundary; so a chunk with a tenth of the
    window to spare beyond that is not counted again. Where a sentence was cut within, sums say little, and each chunk is.
    """
    window = tokens.max_tokens
    suspects = [
        (draft, chunks, chunk)
        for draft, chunks in zip(drafts, grouped, strict=True)
        for chunk in chunks
        if not draft.exact
        or chunk.end - chunk.start > MAX_CHARACTERS
        or chunk.tokens + chunk.blank >= _room(draft, chunk, window) - window // 10
    ]
    while suspects:
        counts = tokens.count_tokens([_embedding_text(draft, chunk) for draft, _, chunk in suspects])
        smaller: list[tuple[_Draft, list[Unit], Unit]] = []
        for (draft, chunks, chunk), length in zip(suspects, counts, strict=True):
            if length > window or chunk.end - chunk.start > MAX_CHARACTERS:
                smaller.extend((draft, chunks, part) for part in _reduce(draft.document.text, chunks, chunk))
        suspects = smaller


def _reduce(text: str, chunks: list[Unit], chunk: Unit) -> list[Unit]:
    """Halve a chunk in place; a few characters that do not fit lose their heading path instead."""
    if chunk.end - chunk.start < 2 * _ATOM_LENGTHS[0] and chunk.section >= 0:
        chunk.section = -1
        return [chunk]
    if chunk.end - chunk.start < 2:
        return []
    middle = (chunk.start + chunk.end) // 2
    near = max(chunk.start + 1, middle - (chunk.end - chunk.start) // 4)
    cut = (
        max(text.rfind("\n", near, middle), 0) or max(text.rfind(" ", near, middle), 0) or safe_cut(text, middle, near)
    )
    left, right = trim(text, chunk.start, cut), trim(text, cut, chunk.end)
    parts = [Unit(*span, chunk.cut, section=chunk.section) for span in (left, right) if span[0] < span[1]]
    place = chunks.index(chunk)
    chunks[place : place + 1] = parts
    return parts


def _embedding_text(draft: _Draft, chunk: Unit) -> str:
    label = draft.labels[chunk.section] if chunk.section >= 0 else None
    text = draft.document.text[chunk.start : chunk.end]
    return f"{label}\n{text}" if label else text


def _chunks(draft: _Draft, chunks: list[Unit]) -> list[Chunk]:
    document, starts = draft.document, [page.start for page in draft.document.pages]
    return [
        Chunk(
            ordinal=ordinal,
            start=chunk.start,
            end=chunk.end,
            text=document.text[chunk.start : chunk.end],
            page=_page_at(document.pages, starts, chunk.start),
            page_end=_page_at(document.pages, starts, chunk.end - 1),
            heading=draft.labels[chunk.section] if chunk.section >= 0 else None,
        )
        for ordinal, chunk in enumerate(chunks)
    ]


def _page_at(pages: PageList, starts: list[int], position: int) -> int | None:
    """Number of the page that a position stands on; blank pages share their start with the next and lose to it."""
    index = bisect_right(starts, position) - 1
    return pages[index].number if index >= 0 else None
