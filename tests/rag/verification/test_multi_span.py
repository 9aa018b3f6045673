"""Sentences that list things, against the several spans that hold them; and where else a sentence stands."""

from __future__ import annotations

import pytest

from rag.answering.builder import judge
from rag.answering.citations import MarkedText
from rag.verification.multi_span import corroborating, gather
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


QUALITIES = [
    "A degree in marine engineering or a related field.",
    "Proven experience as the chief mate of a cargo ship or a similar vessel.",
    "Excellent knowledge of harbour rules and of cargo papers.",
    "Ability to read and interpret tide tables.",
    "A certificate in radio operation is preferred.",
]
WANTED = (
    "The role wants a degree in marine engineering or a related field, proven experience as the chief mate of a cargo ship,"
    " excellent knowledge of harbour rules and of cargo papers, ability to read and interpret {tables}, and a certificate in"
    " radio operation."
)


@pytest.mark.parametrize(("tables", "verdict"), [("tide tables", "verified"), ("wedding invitations", "unsupported")])
def test_items_of_many_words_may_stand_in_as_many_places(tables: str, verdict: str) -> None:
    shown = [evidence(n, text, name="roles") for n, text in enumerate(QUALITIES, start=1)]

    found, spans, _ = judge(MarkedText(WANTED.format(tables=tables), (5,)), shown)

    assert str(found) == verdict
    assert sorted(quotes(spans)) == (sorted(QUALITIES) if verdict == "verified" else [])


def test_who_does_what_is_not_put_together_from_several_places() -> None:
    duties = [
        "The harbour office issues the annual mooring permits to visiting yachts.",
        "The fishing guild collects the monthly landing fees from trawlers.",
        "The coast guard inspects the safety equipment of passenger ferries.",
    ]
    said = (
        "The harbour office collects the monthly landing fees from trawlers, the fishing guild inspects the safety equipment of"
        " passenger ferries, and the coast guard issues the annual mooring permits to visiting yachts."
    )
    shown = [evidence(n, text, name="duties") for n, text in enumerate(duties, start=1)]

    assert gather(said, [], shown, question="", most=6) == []


def test_spans_of_two_documents_do_not_make_one_list() -> None:
    apart = [RULES[0], evidence(2, OIL, name="leaflet")]

    assert gather(LIST, [], apart, question="", most=3) == []
    assert gather("The pump is cold.", [], RULES, question="", most=3) == []


def test_an_item_that_stands_nowhere_fails_the_list() -> None:
    assert (
        gather("Before a start, paint the fence, wear gloves, and check the oil.", [], RULES, question="", most=3) == []
    )


@pytest.mark.parametrize(
    ("sentence", "texts"),
    [
        ("The pump weighs 40 kg, the motor weighs 60 kg, and the tank weighs 80 kg.", ["The pump weighs 60 kg.", "The motor weighs 40 kg.", "The tank weighs 80 kg."]),
        ("Ada joined in 2019, Bob joined in 2020, and Cid joined in 2021.", ["Ada joined in 2021.", "Bob left in 2020. Bob joined in 2019.", "Cid joined in 2020."]),
        ("Members may use the pool, the sauna, and the gym.", ["Members may use the pool.", "The sauna may be used by members.", "Members may not use the gym."]),
        ("Before a start, keep the valve shut, wear gloves, and check the oil.", ["Keep the valve shut. Wear gloves at the intake.", "The oil is black."]),
        ("公司报销机票、酒店和餐费。", ["公司报销机票。", "酒店费用由公司报销。", "餐费不予报销。"]),
    ],
)  # fmt: skip
def test_spans_that_state_other_things_make_no_list(sentence: str, texts: list[str]) -> None:
    found = [evidence(n, text, name="manual") for n, text in enumerate(texts, start=1)]

    assert gather(sentence, [], found, question="", most=3) == []


@pytest.mark.parametrize(
    ("text", "heading"), [("Never check the oil yourself.", None), ("Check the oil of the car.", "Driving to work")]
)
def test_a_list_is_not_completed_by_a_denial_or_from_another_section(text: str, heading: str | None) -> None:
    first = evidence(1, SAFE, name="manual")
    start, end = first.start, first.end

    found = gather(
        LIST, [(first, start, end)], [first, evidence(2, text, name="manual", heading=heading)], question="", most=3
    )

    assert found == [(first, start, end)]


def test_another_passage_that_says_it_is_cited_too_and_one_that_says_something_like_it_is_not() -> None:
    said = "The kestrel valve of the boiler closes at 40 bar."
    here, there = (
        passage(f"{said} It is red."),
        passage("Doors close at six. The boiler's kestrel valve closes at 40 bar.", name="hall"),
    )
    alike = [
        passage("Doors close at six. The kestrel valve of the boiler closes at 45 bar.", name="old"),
        passage("Doors close at six. The heron valve of the boiler closes at 40 bar.", name="other"),
    ]
    shown = evidence(1, here.text, name="d")

    found = corroborating(said, [(shown, OFFSET, OFFSET + len(said))], [here, there, *alike])

    assert quotes(found) == ["The boiler's kestrel valve closes at 40 bar."]


@pytest.mark.parametrize(
    "said", ["The limit is 40 bar.", "It closes the kestrel valve of the boiler at 40 bar.", "最高压力为40巴。"]
)
def test_a_sentence_that_does_not_tell_its_subject_is_found_in_no_other_document(said: str) -> None:
    shown = evidence(1, said, name="boiler")

    assert corroborating(said, [(shown, shown.start, shown.end)], [passage(f"Doors close. {said}", name="tyre")]) == []


def test_it_is_important_tells_its_subject() -> None:
    said = "It is important to close the kestrel valve of the old boiler."
    shown = evidence(1, said, name="boiler")
    there = passage(f"Doors close. {said}", name="hall")

    assert quotes(corroborating(said, [(shown, shown.start, shown.end)], [there])) == [said]
