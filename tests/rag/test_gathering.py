"""Sentences that list things, against the several spans that hold them; and where else a sentence stands."""

from __future__ import annotations

from rag.citations import MarkedText
from rag.gathering import corroborating, gather
from rag.writer import judge
from tests.rag.passages import OFFSET, evidence, passage

SAFE = "Keep the valve shut while the pump is cold. Wear gloves at the intake."
OIL = "Check the oil before each start. The pump room is locked at night."
RULES = [evidence(1, SAFE, name="manual"), evidence(2, OIL, name="manual")]
LIST = "Before a start, keep the valve shut, wear gloves, and check the oil."


def quotes(spans: list) -> list[str]:  # type: ignore[type-arg]
    return [item.passage.between(start, end) for item, start, end in spans]


def test_a_list_cites_every_span_that_holds_an_item() -> None:
    verdict, spans, _ = judge(MarkedText(LIST, (1,)), RULES)

    assert str(verdict) == "verified"
    assert quotes(spans) == [
        "Keep the valve shut while the pump is cold. Wear gloves at the intake.",
        "Check the oil before each start.",
    ]


def test_spans_of_two_documents_do_not_make_one_list() -> None:
    apart = [RULES[0], evidence(2, OIL, name="leaflet")]

    assert gather(LIST, [], apart, question="", most=3) == []
    assert gather("The pump is cold.", [], RULES, question="", most=3) == []


def test_an_item_that_stands_nowhere_fails_the_list() -> None:
    assert (
        gather("Before a start, paint the fence, wear gloves, and check the oil.", [], RULES, question="", most=3) == []
    )


def test_another_passage_that_says_it_is_cited_too_and_one_that_says_something_like_it_is_not() -> None:
    said = "The pump runs at 40 bar."
    here, there = passage(f"{said} It is red."), passage("Doors close at six. At 40 bar runs the pump.", name="hall")
    alike = [
        passage("The pump runs at 45 bar.", name="old"),
        passage("The pump of hall two runs every night.", name="night"),
    ]
    shown = evidence(1, here.text, name="d")

    found = corroborating(said, [(shown, OFFSET, OFFSET + len(said))], [here, there, *alike])

    assert quotes(found) == ["At 40 bar runs the pump."]
