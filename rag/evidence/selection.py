"""Sections to evidence: the blocks worth showing the model within a token budget, numbered, as they stand in their document. Pure.

The best blocks come first, each with what a reader needs to understand it (the words that announce a list or a piece of code, the header
of a table); what lies between two of them is shown too where it is short, so that nothing is torn.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence

from rag.evidence.blocks import Block, BlockKind
from rag.evidence.scoring import ScoredBlock, score_blocks
from rag.text.language import leans_back, leans_forward
from rag.types import Evidence, Section
from rag.vectors import TokenVectors

# The number, the heading and the line ends of a source.
SOURCE_TOKENS = 12
# What lies between two blocks that are shown is shown too up to so many tokens.
GAP_TOKENS = 40


def select_evidence(
    question: str,
    sections: Sequence[Section],
    idf: Mapping[str, float],
    *,
    budget: int,
    least: float = 0.0,
    query: TokenVectors | None = None,
    vectors: Mapping[str, TokenVectors] | None = None,
) -> list[Evidence]:
    """The best blocks in runs, those of the best passage first, numbered from 1.

    Args:
        question, sections, idf, query, vectors: as `rag.evidence.scoring.score_blocks`.
        budget: tokens, as `estimate_tokens` counts them. One block is shown even if it alone is over the budget.
        least: blocks that are worth less than this share of the best one, 0..1, are left out, whatever room there is.
    """
    blocks = score_blocks(question, sections, idf, query, vectors)
    return _numbered(sections, blocks, _chosen(sections, blocks, budget, least))


def _chosen(sections: Sequence[Section], blocks: Sequence[ScoredBlock], budget: int, least: float) -> set[int]:
    """The places, in `blocks`, of those that are shown."""
    chosen: set[int] = set()
    shown: set[int] = set()
    spent = 0
    ranked = sorted(range(len(blocks)), key=lambda at: -blocks[at].score)
    tells = any(each.block.kind is not BlockKind.HEADING for each in blocks)
    for at in ranked:
        if chosen and blocks[at].score < least * blocks[ranked[0]].score:
            break
        if blocks[at].block.kind is BlockKind.HEADING and blocks[at].block.lead is None and tells:
            continue  # the section's heading is shown anyway
        for group in _groups(sections, blocks, at):
            added = [each for each in group if each not in chosen]
            cost = sum(blocks[each].tokens for each in added)
            cost += 0 if blocks[at].section in shown else SOURCE_TOKENS
            if not added or (chosen and spent + cost > budget):
                continue
            chosen.update(added)
            shown.add(blocks[at].section)
            spent += cost
            break
    return _filled(blocks, chosen, budget - spent)


def _groups(sections: Sequence[Section], blocks: Sequence[ScoredBlock], at: int) -> Iterator[list[int]]:
    """A block with what explains it, then alone, where that does not fit."""
    with_it = [at]
    section = blocks[at].section
    text = sections[section].passage.text
    said = text[blocks[at].block.start : blocks[at].block.end]
    lead = blocks[at].block.lead
    if lead is not None and blocks[at].block.kind is not BlockKind.ROW:
        with_it += [i for i in _near(blocks, at) if blocks[i].block.start == lead[0]]
    elif leans_back(said) and at and blocks[at - 1].section == section:
        with_it.append(at - 1)
    if leans_forward(said) and at + 1 < len(blocks) and blocks[at + 1].section == section:
        with_it += _announced(blocks, at)
    yield sorted(with_it)
    if len(with_it) > 1:
        yield [at]


def _near(blocks: Sequence[ScoredBlock], at: int) -> Iterator[int]:
    """The blocks of the same section before one, the nearest first."""
    i = at - 1
    while i >= 0 and blocks[i].section == blocks[at].section:
        yield i
        i -= 1


def _announced(blocks: Sequence[ScoredBlock], at: int) -> list[int]:
    """The list or code that a block announces; the next block where it is neither."""
    lead = (blocks[at].block.start, blocks[at].block.end)
    found: list[int] = []
    for i in range(at + 1, len(blocks)):
        if blocks[i].section != blocks[at].section or (found and blocks[i].block.lead != lead):
            break
        found.append(i)
        if blocks[i].block.lead != lead:
            break
    return found


def _filled(blocks: Sequence[ScoredBlock], chosen: Collection[int], left: int) -> set[int]:
    """The chosen places with what lies between neighbours of one section, where that is short."""
    filled = set(chosen)
    ordered = sorted(chosen)
    for before, after in itertools.pairwise(ordered):
        between = range(before + 1, after)
        if not between or blocks[before].section != blocks[after].section:
            continue
        cost = sum(blocks[i].tokens for i in between)
        if cost <= min(GAP_TOKENS, left):
            filled.update(between)
            left -= cost
    return filled


def _numbered(sections: Sequence[Section], blocks: Sequence[ScoredBlock], chosen: Collection[int]) -> list[Evidence]:
    """Runs of neighbouring blocks as evidence, in the order of their passages and of reading."""
    runs: list[list[int]] = []
    for at in sorted(chosen):
        if runs and runs[-1][-1] == at - 1 and blocks[at - 1].section == blocks[at].section:
            runs[-1].append(at)
        else:
            runs.append([at])
    found: list[Evidence] = []
    for n, run in enumerate(runs, start=1):
        passage = sections[blocks[run[0]].section].passage
        first, last = blocks[run[0]].block, blocks[run[-1]].block
        best = max(run, key=lambda at: blocks[at].score)
        found.append(
            Evidence(
                n=n,
                passage=passage,
                start=passage.char_start + first.start,
                end=passage.char_start + last.end,
                text=passage.text[first.start : last.end],
                score=round(blocks[best].score, 4),
                header=_header(passage.text, first, [blocks[at].block for at in run]),
                best=(passage.char_start + blocks[best].block.start, passage.char_start + blocks[best].block.end),
            )
        )
    return found


def _header(text: str, first: Block, run: Sequence[Block]) -> str:
    """The header row of the table, or the lead-in of the list, that a run begins inside of; empty where it is part of it."""
    if first.lead is None or any(block.start == first.lead[0] for block in run):
        return ""
    return " ".join(text[slice(*first.lead)].split())
