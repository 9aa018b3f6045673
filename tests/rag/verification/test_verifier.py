"""Verdicts on sentences beside their sources: facts, contradictions, citations, spans, and what entailment adds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.types import CheckedBy, Verdict
from rag.verification.verifier import Verifier
from tests.fakes import HashEmbedder
from tests.rag.passages import OFFSET, evidence

PUMP = "The pump in hall four was installed by Nordwind GmbH on 3 March 1998 and runs at 40 bar."
TRAVEL = "Receipts are required for lodging, rental cars and any other expense over $75."
EVIDENCE = [evidence(1, PUMP, name="pump"), evidence(2, TRAVEL, name="travel")]
KEPT = (Verdict.VERIFIED, Verdict.CONSISTENT)


class FixedEntailment:
    """Says the same chance of every pair, and records them."""

    name = "fixed"

    def __init__(self, chance: float | None) -> None:
        self.chance = chance
        self.asked: list[Sequence[tuple[str, str]]] = []

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        self.asked.append(pairs)
        return [self.chance] * len(pairs)


def test_the_words_of_the_text_are_verified_by_text() -> None:
    found = Verifier().judge(PUMP, [1], EVIDENCE)

    assert found.verdict is Verdict.VERIFIED
    assert found.checked_by is CheckedBy.TEXT
    assert [(span.evidence.n, span.text) for span in found.spans] == [(1, PUMP)]


@pytest.mark.parametrize("embedder", [None, HashEmbedder()])
def test_other_words_with_the_same_facts_are_consistent(embedder: HashEmbedder | None) -> None:
    found = Verifier(embedder).judge("Keep your receipts for lodging and whatever costs over $75.", [2], EVIDENCE)

    assert found.verdict is Verdict.CONSISTENT


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("The pump in hall four runs at 45 bar.", "number"),
        ("The pump was installed by Nordwind in 1999.", "date"),
        ("The pump was installed by Siemens.", "name"),
        ("The pump was “installed by Nordwind AG”.", "quote"),
        ("Start the pump with `pumpctl --force`, which runs at 40 bar.", "code"),
        ("The pump in hall four was not installed by Nordwind GmbH on 3 March 1998.", "negation"),
    ],
)
def test_a_fact_that_stands_nowhere_or_a_denial_is_unsupported(sentence: str, kind: str) -> None:
    found = Verifier().judge(sentence, [1], EVIDENCE)

    assert found.verdict is Verdict.UNSUPPORTED
    assert kind in [kind for kind, _ in found.missing]
    assert found.spans == ()


def test_another_source_than_the_one_marked_takes_the_mark() -> None:
    found = Verifier().judge("Receipts are required for lodging and rental cars.", [1], EVIDENCE)

    assert found.verdict is Verdict.MISATTRIBUTED
    assert [span.evidence.n for span in found.spans] == [2]


def test_a_sentence_without_a_mark_gets_what_supports_it() -> None:
    found = Verifier().judge("The pump in hall four runs at 40 bar.", [], EVIDENCE)

    assert found.verdict in KEPT
    assert [span.evidence.n for span in found.spans] == [1]


def test_what_is_about_something_else_is_not_kept() -> None:
    assert Verifier().judge("Gardening is a wonderful hobby.", [1], EVIDENCE).verdict is Verdict.UNSUPPORTED
    assert Verifier().judge("Gardening is a wonderful hobby.", [], EVIDENCE).verdict is Verdict.UNCITED


def test_a_lead_in_states_nothing() -> None:
    assert Verifier().judge("Here is what the sources say:", [1], EVIDENCE).verdict is Verdict.UNCITED


def test_facts_of_two_sources_may_stand_together() -> None:
    found = Verifier().judge(
        "The pump comes from Nordwind GmbH, and whoever spends over $75 needs a receipt.",
        [1, 2],
        EVIDENCE,
    )

    assert found.verdict in KEPT
    assert [span.evidence.n for span in found.spans] == [1, 2]


def test_the_shortest_part_that_carries_the_sentence_is_cited() -> None:
    run = evidence(
        1, "Bees fly far.\n- The valve opens at 12 bar.\n- The pump runs at 40 bar.\n\nIt was bought in 1998."
    )

    found = Verifier().judge("The pump runs at 40 bar.", [1], [run])

    span = found.spans[0]
    assert span.text.endswith("The pump runs at 40 bar.")
    assert "valve" not in span.text
    assert span.start >= OFFSET


@pytest.mark.parametrize(
    ("chance", "verdict", "by"),
    [
        (0.95, Verdict.VERIFIED, CheckedBy.MODEL),
        (0.5, Verdict.CONSISTENT, CheckedBy.TEXT),
        (0.02, Verdict.UNSUPPORTED, CheckedBy.MODEL),
        (None, Verdict.CONSISTENT, CheckedBy.TEXT),
    ],
)
def test_entailment_settles_what_text_could_not(chance: float | None, verdict: Verdict, by: CheckedBy) -> None:
    entailment = FixedEntailment(chance)
    verifier = Verifier(None, entailment)
    sentences = [PUMP, "Keep your receipts for lodging and whatever costs over $75."]
    judged = [(each, verifier.judge(each, [n], EVIDENCE)) for n, each in enumerate(sentences, 1)]

    found = verifier.confirm(judged, EVIDENCE)

    assert found[0] is judged[0][1]
    assert (found[1].verdict, found[1].checked_by) == (verdict, by)
    assert [len(pairs) for pairs in entailment.asked] == [1]


def test_without_a_port_nothing_changes() -> None:
    judged = [("Keep your receipts for lodging.", Verifier().judge("Keep your receipts for lodging.", [2], EVIDENCE))]

    assert Verifier().confirm(judged, EVIDENCE) == [judged[0][1]]


def test_chinese_and_code() -> None:
    source = [evidence(1, "水泵的工作压力为40巴，由北风公司安装。重启请运行 `pumpctl restart --now`。")]

    assert Verifier().judge("水泵的工作压力为40巴。", [1], source).verdict in KEPT
    assert Verifier().judge("水泵的工作压力为50巴。", [1], source).verdict is Verdict.UNSUPPORTED
    assert Verifier().judge("运行 `pumpctl restart --now` 即可重启。", [1], source).verdict in KEPT
    assert Verifier().judge("运行 `pumpctl restart --later` 即可重启。", [1], source).verdict is Verdict.UNSUPPORTED
