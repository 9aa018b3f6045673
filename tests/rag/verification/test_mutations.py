"""The mutation suite: true sentences hold against their spans, false ones made of them are flagged, kind by kind."""

from __future__ import annotations

from collections import Counter

import pytest

from rag.verification.overlap import check
from tests.rag.verification.mutations import Statement, mutations, statements

KINDS = ("number", "unit", "date", "name", "negation", "comparative", "quote", "source")
# The least share that must be flagged: a promise for five kinds, the level reached (rounded down) for the others.
FLAGGED = dict.fromkeys(("number", "date", "name", "quote", "source"), 0.95) | {
    "unit": 0.95,
    "negation": 0.87,
    "comparative": 0.87,
}
FALSE_ALARMS = 0.05
ALL = statements()
PARTS = {
    "developed on": [item for item in ALL if not item.held_out],
    "held out": [item for item in ALL if item.held_out],
    "all": ALL,
}


def flagged(part: list[Statement]) -> tuple[Counter[str], Counter[str]]:
    """How many mutations of each kind there are, and how many are flagged."""
    made, caught = Counter[str](), Counter[str]()
    for item in mutations(part):
        made[item.kind] += 1
        caught[item.kind] += not check(item.sentence, item.span, context=item.context).holds
    return made, caught


def test_there_are_enough_statements() -> None:
    assert len(ALL) >= 400
    assert sum(item.language == "zh" for item in ALL) >= 150
    assert len({item.sentence for item in ALL}) == len(ALL)


def test_mutations_are_the_same_each_time() -> None:
    assert mutations(ALL[:40]) == mutations(ALL[:40])


@pytest.mark.parametrize("name", PARTS)
def test_true_sentences_hold(name: str) -> None:
    part = PARTS[name]
    wrong = [item.sentence for item in part if not check(item.sentence, item.span, context=item.context).holds]
    print(f"{name}: {len(wrong)} false alarms of {len(part)} ({len(wrong) / len(part):.3f})")

    assert len(wrong) <= FALSE_ALARMS * len(part), wrong


def test_false_sentences_are_flagged() -> None:
    print(f"{'kind':<13}" + "".join(f"{name:>22}" for name in PARTS))
    counted = {name: flagged(part) for name, part in PARTS.items()}
    for kind in KINDS:
        cells = (f"{caught[kind]}/{made[kind]} {caught[kind] / made[kind]:.3f}" for made, caught in counted.values())
        print(f"{kind:<13}" + "".join(f"{cell:>22}" for cell in cells))

    made, caught = counted["all"]
    for kind, least in FLAGGED.items():
        assert caught[kind] >= least * made[kind], kind
