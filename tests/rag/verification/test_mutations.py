"""The mutation suite itself: enough statements, in both languages, and the same mutations each time."""

from __future__ import annotations

from tests.rag.verification.mutations import mutations, statements

ALL = statements()


def test_there_are_enough_statements() -> None:
    assert len(ALL) >= 400
    assert sum(item.language == "zh" for item in ALL) >= 150
    assert len({item.sentence for item in ALL}) == len(ALL)


def test_mutations_are_the_same_each_time() -> None:
    assert mutations(ALL[:40]) == mutations(ALL[:40])
