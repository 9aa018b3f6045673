"""The order of an answer's events, who is believed about what, and when nothing is answered; over fake indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from rag.answering import answerer as room
from rag.answering import certainty, wording
from rag.answering.answerer import Answerer, Limits, Writing
from rag.answering.certainty import GATE, Calibrated, ModelKind
from rag.answering.events import Ask, Cited, Done, Event, Retrieved, Token, Verified
from rag.errors import ChatUnavailableError, InvalidRequestError, NotFoundError
from rag.evidence.selector import Budget, EvidenceSelector
from rag.ports import Entailment
from rag.query.rewrite import Rewriter
from rag.query.translation import Translator
from rag.types import (
    Abstention,
    Answer,
    AnswerPolicy,
    Certainty,
    ChatDelta,
    CheckedBy,
    Evidence,
    Message,
    PageSpan,
    SearchMode,
    Span,
    Usage,
    Verdict,
)
from rag.verification.verifier import Judgement, Verifier, statement
from tests.fakes import ScriptedChat
from tests.rag.passages import OFFSET
from tests.rag.shelf import Shelf, over

QUESTION = "At how many bar does the pump run?"
OFF_TOPIC = "Who won at chess?"
TEXTS = {
    "pump": "The pump runs at 40 bar. Its oil is changed every March.",
    "orchard": "Apple trees blossom in April. The village is quiet.",
    "水泵": "水泵的工作压力是四十巴。它由北风公司安装。",
}
RIGHT = "The pump runs at 40 bar [1]."
CALIBRATION = {
    "topic": Calibrated(-1.0, {"coverage": 5.0}, 0.4),
    "extractive": Calibrated(-1.0, {"coverage": 5.0}, 0.4),
    "local": Calibrated(0.0, {GATE: 4.0, "coverage": 1.0}, 0.5),
    "certainty-local": Calibrated(-2.0, {"verified": 4.0}, 0.7),
    "certainty-hosted": Calibrated(-2.0, {"verified": 4.0}, 0.7),
    "certainty-extractive": Calibrated(-2.0, {"best": 1.0}, 0.7),
}
"""One that these texts need no model to follow: on topic is what shares words, high is what is verified."""


@pytest.fixture(autouse=True)
def calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (room, certainty):
        monkeypatch.setattr(module, "calibrated", lambda: CALIBRATION)


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf(TEXTS)
    made.paged["pump"] = [PageSpan(1, 0, OFFSET + 24), PageSpan(2, OFFSET + 24, OFFSET + 500)]
    return made


class Telling(ScriptedChat):
    """Says one thing after another, and tells the same chances of each first token."""

    def __init__(self, *said: str, **chances: float) -> None:
        super().__init__(*said)
        self._chances = chances

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        for delta in super().stream(messages, max_tokens=max_tokens):
            yield ChatDelta(delta.text, delta.usage, self._chances if delta.text else {})


class Chance:
    """`rag.ports.Entailment`: one chance for all pairs."""

    name = "chance"

    def __init__(self, chance: float) -> None:
        self._chance = chance

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        return [self._chance] * len(pairs)


class Plain(Verifier):
    """Verified is what stands in a source word for word, consistent what says "somebody", and nothing else is supported."""

    def judge(self, sentence: str, marks: Sequence[int], evidence: Sequence[Evidence], question: str = "") -> Judgement:
        body = statement(sentence).replace("somebody changes", "")
        for item in sorted(evidence, key=lambda each: each.n not in marks):
            at = item.text.find(body)
            if at >= 0:
                span = Span(item, item.start + at, item.start + at + len(body))
                verdict = Verdict.MISATTRIBUTED if marks and item.n not in marks else Verdict.VERIFIED
                return Judgement(verdict, (span,), (), CheckedBy.TEXT, 0.9)
            if body != statement(sentence) and "March" in item.text:
                return Judgement(Verdict.CONSISTENT, (Span(item, item.start, item.end),), (), CheckedBy.TEXT, 0.5)
        missing = tuple(("number", figure) for figure in re.findall(r"\d+", body))
        return Judgement(Verdict.UNSUPPORTED if marks else Verdict.UNCITED, (), missing, CheckedBy.TEXT, 0.0)


def answerer(
    shelf: Shelf,
    chat: ScriptedChat | None,
    *,
    kind: ModelKind = ModelKind.HOSTED,
    confidence: float | None = None,
    entailment: Entailment | None = None,
    translates: bool = False,
) -> Answerer:
    retriever, tokens = over(shelf)
    selector = EvidenceSelector(shelf, tokens, Budget(400, 0.0, 1))
    translator = Translator(chat) if translates and chat else None
    writing = Writing(chat, kind, Rewriter(None, capable=False), translator)
    return Answerer(retriever, shelf, selector, Plain(None, entailment), writing, Limits(77, confidence))


def events(made: Answerer, question: str = QUESTION, **more: Any) -> list[Event]:
    return list(made.events(Ask(question, ["default"], 5, **more)))


def done(found: Sequence[Event]) -> Answer:
    assert isinstance(found[-1], Done)
    return found[-1].answer


def ask(made: Answerer, question: str = QUESTION, **more: Any) -> Answer:
    return made.ask(Ask(question, ["default"], 5, **more))


def streamed(found: Sequence[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Token))


def assert_declined(answer: Answer, reason: Abstention, language: str = "en", *, spoken_of: bool = True) -> None:
    assert (answer.answered, answer.reason, answer.certainty) == (False, reason, None)
    assert answer.answer == wording.decline(language, spoken_of=spoken_of)
    assert (answer.citations, answer.sentences, answer.groundedness) == ((), (), None)
    assert answer.nearest == answer.retrieved[:3] != ()


def test_events_come_in_order(shelf: Shelf) -> None:
    chat = ScriptedChat(f"Yes.\n{RIGHT} Its oil is changed every March [1].", usage=Usage(120, 14))

    found = events(answerer(shelf, chat))

    assert isinstance(found[0], Retrieved)
    kinds = [type(event).__name__ for event in found[1:-1]]
    assert kinds.index("Cited") < kinds.index("Verified")
    answer = done(found)
    assert streamed(found) == answer.answer
    assert answer.answer == "The pump runs at 40 bar. [1] Its oil is changed every March. [2]"
    assert [event.citation for event in found if isinstance(event, Cited)] == list(answer.citations)
    assert [event.sentence for event in found if isinstance(event, Verified)] == list(answer.sentences)
    assert (answer.groundedness, answer.usage, answer.dropped) == (1.0, Usage(120, 14), ())
    assert (answer.citations[0].page, answer.citations[0].quote) == (1, "The pump runs at 40 bar.")
    assert (answer.certainty, answer.kind, answer.reason) == (Certainty.HIGH, "hosted", None)
    assert chat.max_tokens == [77]


@pytest.mark.parametrize("checked_only", [False, True])
def test_what_no_source_supports_leaves_the_answer_and_nothing_is_added(shelf: Shelf, checked_only: bool) -> None:
    chat = ScriptedChat(f"Yes. It costs 9 euros [1]. {RIGHT} Sharks like it. Its oil is changed every March.")

    found = events(answerer(shelf, chat), checked_only=checked_only)

    answer = done(found)
    assert answer.answer == "The pump runs at 40 bar. [1] Its oil is changed every March. [2]"
    assert [answer.answer[s.start : s.end] for s in answer.sentences] == [s.text for s in answer.sentences]
    assert [s.text for s in answer.dropped] == ["It costs 9 euros.", "Sharks like it."]
    assert ("number", "9") in answer.dropped[0].missing
    assert answer.groundedness == 0.5
    assert (streamed(found) == answer.answer) is checked_only
    assert len([e for e in found if isinstance(e, Verified)]) == 4


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (AnswerPolicy.BALANCED, f"{RIGHT[:-5]}. [1]"),
        (AnswerPolicy.OPEN, f"It costs 9 euros. {RIGHT[:-5]}. [1]"),
    ],
)
def test_the_open_policy_keeps_what_is_not_supported_without_a_mark(
    shelf: Shelf, policy: AnswerPolicy, kept: str
) -> None:
    answer = ask(answerer(shelf, ScriptedChat(f"Yes. It costs 9 euros [1]. {RIGHT}")), answers=policy)

    assert answer.answer == kept
    assert answer.groundedness == 0.5


def test_strict_declines_an_answer_of_low_certainty_and_balanced_gives_it(shelf: Shelf) -> None:
    said = f"Yes. {RIGHT} It costs 9 euros [1]. It costs 8 euros [1]. It costs 7 euros [1]."

    strict = ask(answerer(shelf, ScriptedChat(said)), answers=AnswerPolicy.STRICT)
    balanced = ask(answerer(shelf, ScriptedChat(said)))

    assert_declined(strict, Abstention.UNSUPPORTED)
    assert (balanced.answered, balanced.certainty) == (True, Certainty.LOW)
    assert balanced.nearest


@pytest.mark.parametrize(("policy", "answered"), [(AnswerPolicy.STRICT, False), (AnswerPolicy.BALANCED, True)])
def test_a_consistent_sentence_is_not_enough_for_strict(shelf: Shelf, policy: AnswerPolicy, answered: bool) -> None:
    said = "Yes. Every March somebody changes the oil of the pump [1]."

    answer = ask(answerer(shelf, ScriptedChat(said)), "When is the oil of the pump changed?", answers=policy)

    assert answer.answered is answered
    if answered:
        assert [s.verdict for s in answer.sentences] == [Verdict.CONSISTENT]


@pytest.mark.parametrize("said", ["No.", "No. The sources do not say.", "no", "**No**", "否", "没有。"])
@pytest.mark.parametrize("policy", list(AnswerPolicy))
def test_a_capable_models_no_is_believed(shelf: Shelf, said: str, policy: AnswerPolicy) -> None:
    chat = ScriptedChat(said)

    assert_declined(ask(answerer(shelf, chat), answers=policy), Abstention.NO_EVIDENCE)
    assert len(chat.prompts) == 1


def test_a_capable_model_is_stopped_at_its_no(shelf: Shelf) -> None:
    chat = ScriptedChat(f"No. {RIGHT} {RIGHT} {RIGHT}")

    found = events(answerer(shelf, chat))

    assert chat.closed == 1
    assert "40 bar" not in streamed(found)


def test_what_a_capable_model_says_the_sources_lack_is_kept_beside_its_answer(shelf: Shelf) -> None:
    said = f"Yes\n{RIGHT} The sources do not mention its price."

    hosted = ask(answerer(shelf, ScriptedChat(said)))
    local = ask(answerer(shelf, ScriptedChat("Yes", said[4:]), kind=ModelKind.LOCAL))

    assert hosted.answer == "The pump runs at 40 bar. [1] The sources do not mention its price."
    assert (hosted.groundedness, local.answer) == (1.0, "The pump runs at 40 bar. [1]")


def test_invented_prose_is_no_answer(shelf: Shelf) -> None:
    found = events(answerer(shelf, ScriptedChat("Yes. It was invented by Ada Lovelace in 1843 [1].")))

    assert_declined(done(found), Abstention.UNSUPPORTED)


LIKELY, UNLIKELY = {"Yes": -0.01, "No": -5.0}, {"Yes": -3.0, "No": -0.05}


def test_a_small_model_is_asked_whether_and_then_what(shelf: Shelf) -> None:
    chat = Telling("Yes", RIGHT, **LIKELY)

    answer = ask(answerer(shelf, chat, kind=ModelKind.LOCAL))

    assert (answer.answer, answer.kind, answer.certainty) == ("The pump runs at 40 bar. [1]", "local", Certainty.HIGH)
    assert chat.max_tokens == [1, 77]
    assert "Yes or No" in chat.prompts[0][-1].content
    assert "Yes or No" not in chat.prompts[1][-1].content
    assert chat.prompts[0][0] == chat.prompts[1][0]
    assert answer.features[GATE] > 0.5


@pytest.mark.parametrize(
    ("said", "chances", "answered"),
    [
        ("Yes", LIKELY, True),
        ("No", UNLIKELY, False),
        ("No", {"Yes": -0.7, "No": -0.69}, True),  # a no by a hair, where all else speaks for an answer
        ("No", {}, False),
        ("Yes", {}, True),
    ],
)
def test_a_small_models_no_is_weighed(shelf: Shelf, said: str, chances: Mapping[str, float], answered: bool) -> None:
    chat = Telling(said, RIGHT, **chances)

    answer = ask(answerer(shelf, chat, kind=ModelKind.LOCAL))

    assert answer.answered is answered
    assert len(chat.prompts) == 1 + answered
    if not answered:
        assert_declined(answer, Abstention.NO_EVIDENCE)


def test_the_chances_of_yes_and_no_move_the_confidence(shelf: Shelf) -> None:
    made = [answerer(shelf, Telling("No", **chances), kind=ModelKind.LOCAL) for chances in (UNLIKELY, {"No": -0.001})]

    doubtful, certain = (ask(each) for each in made)

    assert certain.confidence < doubtful.confidence < 0.5


def test_the_open_policy_asks_the_small_model_in_any_case(shelf: Shelf) -> None:
    chat = Telling("No", RIGHT, **UNLIKELY)

    answer = ask(answerer(shelf, chat, kind=ModelKind.LOCAL), answers=AnswerPolicy.OPEN)

    assert answer.answer == "The pump runs at 40 bar. [1]"


def test_a_setting_takes_the_place_of_the_calibrated_thresholds(shelf: Shelf) -> None:
    never = ask(answerer(shelf, ScriptedChat(f"Yes {RIGHT}"), confidence=1.0))
    always = ask(answerer(shelf, Telling("No", RIGHT, **UNLIKELY), kind=ModelKind.LOCAL, confidence=0.0))

    assert_declined(never, Abstention.NO_EVIDENCE, spoken_of=False)
    assert always.answered


def test_a_small_model_that_found_an_answer_and_could_not_word_it_is_quoted_for(shelf: Shelf) -> None:
    chat = Telling("Yes", "It was invented by Ada Lovelace in 1843.", **LIKELY)

    answer = ask(answerer(shelf, chat, kind=ModelKind.LOCAL))

    assert answer.answer.startswith("The pump runs at 40 bar. Its oil is changed every March. [1]")
    assert (answer.kind, answer.groundedness, answer.dropped) == ("extractive", 1.0, ())


def test_a_small_model_that_only_says_what_the_sources_lack_is_not_quoted_for(shelf: Shelf) -> None:
    chat = Telling("Yes", "The sources do not mention the pressure.", **LIKELY)

    assert_declined(ask(answerer(shelf, chat, kind=ModelKind.LOCAL)), Abstention.NO_EVIDENCE)


@pytest.mark.parametrize("kind", [ModelKind.LOCAL, ModelKind.HOSTED])
@pytest.mark.parametrize(("question", "language"), [(OFF_TOPIC, "en"), ("谁赢得了比赛？", "zh")])
def test_what_is_plainly_about_something_else_is_declined_before_any_model(
    shelf: Shelf, kind: ModelKind, question: str, language: str
) -> None:
    chat = ScriptedChat(f"Yes. {RIGHT}")

    answer = ask(answerer(shelf, chat, kind=kind), question)

    assert chat.prompts == []
    assert_declined(answer, Abstention.NO_EVIDENCE, language, spoken_of=False)


def test_off_topic_is_declined_without_a_model_too_and_asked_under_the_open_policy(shelf: Shelf) -> None:
    chat = ScriptedChat("No.")

    assert_declined(ask(answerer(shelf, None), OFF_TOPIC), Abstention.NO_EVIDENCE, spoken_of=False)
    assert_declined(ask(answerer(shelf, chat), OFF_TOPIC, answers=AnswerPolicy.OPEN), Abstention.NO_EVIDENCE)
    assert len(chat.prompts) == 1


def test_nothing_found_is_said_so(shelf: Shelf) -> None:
    answer = ask(answerer(shelf, ScriptedChat(f"Yes. {RIGHT}")), filters={"name": []})

    assert (answer.reason, answer.certainty, answer.nearest) == (Abstention.NO_EVIDENCE, None, ())


def test_a_greeting_gets_a_polite_line(shelf: Shelf) -> None:
    chat = ScriptedChat(f"Yes. {RIGHT}")

    answer = ask(answerer(shelf, chat), "Hello!")

    assert chat.prompts == []
    assert answer.answer.startswith("Hello!")
    assert (answer.answered, answer.certainty, answer.citations, answer.sentences) == (False, None, (), ())


@pytest.mark.parametrize("chance", [0.01, 0.5, 0.99])
def test_entailment_settles_what_the_text_left_open(shelf: Shelf, chance: float) -> None:
    said = "Yes. Every March somebody changes the oil of the pump [1]."
    made = answerer(shelf, ScriptedChat(said), entailment=Chance(chance))

    found = events(made, "When is the oil of the pump changed?")

    verdicts = [(e.sentence.verdict, e.sentence.checked_by) for e in found if isinstance(e, Verified)]
    assert verdicts[0] == (Verdict.CONSISTENT, CheckedBy.TEXT)
    if chance < 0.1:
        assert verdicts[1:] == [(Verdict.UNSUPPORTED, CheckedBy.MODEL)]
        assert_declined(done(found), Abstention.UNSUPPORTED)
    elif chance > 0.9:
        assert verdicts[1:] == [(Verdict.VERIFIED, CheckedBy.MODEL)]
        assert done(found).certainty is Certainty.HIGH
    else:
        assert verdicts[1:] == []
        assert done(found).certainty is Certainty.LOW


def test_a_sentence_that_entailment_drops_leaves_the_others_their_numbers(shelf: Shelf) -> None:
    said = f"Yes. Every March somebody changes the oil of the pump [1]. {RIGHT}"

    answer = ask(answerer(shelf, ScriptedChat(said), entailment=Chance(0.01)), "When does the pump run, oil changed?")

    assert answer.answer == "The pump runs at 40 bar. [1]"
    assert [(s.text, str(s.checked_by)) for s in answer.dropped] == [
        ("Every March somebody changes the oil of the pump.", "model")
    ]
    assert [c.n for c in answer.citations] == [1]


@pytest.mark.parametrize("checked_only", [False, True])
@pytest.mark.parametrize("again", ["{0}{0}{0}{0}{0}{0}", "{0}{1}{0}{1}{0}{1}"])
def test_a_model_that_goes_round_in_a_circle_is_stopped(again: str, checked_only: bool) -> None:
    texts = "The big old pump in hall four runs at 40 bar.", "Its oil is changed every March by the people of Nordwind."
    shelf = Shelf({**TEXTS, "pump": " ".join(texts)})
    one, other = (f"{text} [1] " for text in texts)
    chat = ScriptedChat("Yes\n" + again.format(one, other))

    answer = ask(answerer(shelf, chat), checked_only=checked_only)

    assert chat.closed == 1
    assert answer.answer.count("40 bar") == (2 if "{1}" in again else 1)
    assert (answer.groundedness, answer.dropped) == (1.0, ())
    assert [answer.answer[s.start : s.end] for s in answer.sentences] == [s.text for s in answer.sentences]


def test_an_answer_in_another_language_is_stopped_and_never_shown(shelf: Shelf) -> None:
    chat = Telling("是", "The working pressure of the pump is forty bar, as it says there. [1] " * 3, **{"是": -0.01})

    found = events(answerer(shelf, chat, kind=ModelKind.LOCAL), "水泵的工作压力是多少？")

    assert chat.closed >= 1
    assert "working pressure" not in streamed(found)
    assert done(found).answer.startswith("水泵的工作压力是四十巴。")  # quoted instead


def test_without_a_model_blocks_are_quoted(shelf: Shelf) -> None:
    answer = ask(answerer(shelf, None))

    assert (answer.answered, answer.reason, answer.model, answer.kind) == (True, None, "extractive", "extractive")
    assert answer.answer.startswith("The pump runs at 40 bar. Its oil is changed every March. [1]")
    assert (answer.groundedness, answer.certainty) == (1.0, Certainty.LOW)


@pytest.mark.parametrize("kind", [ModelKind.LOCAL, ModelKind.HOSTED])
@pytest.mark.parametrize("checked_only", [False, True])
def test_a_model_that_goes_away_before_it_says_anything_is_quoted_for(
    shelf: Shelf, kind: ModelKind, checked_only: bool
) -> None:
    found = events(answerer(shelf, ScriptedChat(ChatUnavailableError("down")), kind=kind), checked_only=checked_only)

    answer = done(found)
    assert (answer.answered, answer.reason, answer.model) == (True, Abstention.LLM_UNAVAILABLE, "extractive")
    assert answer.answer.startswith("The pump runs at 40 bar. Its oil is changed every March. [1]")
    assert streamed(found) == answer.answer


@pytest.mark.parametrize("checked_only", [False, True])
def test_a_model_that_goes_away_in_the_middle(shelf: Shelf, checked_only: bool) -> None:
    """What it said that stands was said already to a client that takes nothing back; another is given the quotes instead."""
    chat = ScriptedChat(["Yes. ", "Its oil is changed every March [1]. ", "It is", ChatUnavailableError("down")])

    found = events(answerer(shelf, chat), checked_only=checked_only)

    answer = done(found)
    assert (answer.answered, answer.reason, answer.model) == (True, Abstention.LLM_UNAVAILABLE, "extractive")
    if checked_only:
        assert streamed(found) == answer.answer == "Its oil is changed every March. [1]"
    else:
        assert answer.answer.startswith("The pump runs at 40 bar. Its oil is changed every March. [1]")
    assert {c.n for c in answer.citations} == {n for s in answer.sentences for n in s.citations}


def test_other_errors_of_the_model_are_not_hidden(shelf: Shelf) -> None:
    with pytest.raises(RuntimeError):
        ask(answerer(shelf, ScriptedChat(RuntimeError("a bug"))))


def test_documents_that_disagree_are_told_and_both_cited() -> None:
    shelf = Shelf({**TEXTS, "old": "The notice period is 30 days.", "new": "The notice period is 60 days."})

    answer = ask(
        answerer(shelf, ScriptedChat("Yes. The notice period is 30 days.")), "How many days is the notice period?"
    )

    assert "The documents disagree:" in answer.answer
    assert {c.document_id for c in answer.citations} == {"old", "new"}
    assert [answer.answer[s.start : s.end] for s in answer.sentences] == [s.text for s in answer.sentences]


def test_a_follow_up_is_asked_as_a_question_of_its_own(shelf: Shelf) -> None:
    chat = ScriptedChat("Yes. Its oil is changed every March [1].")
    history = [Message("user", "Where is the Kestrel pump?"), Message("assistant", "In the cellar.")]

    answer = ask(answerer(shelf, chat), "When is its oil changed?", history=history)

    assert answer.question == "When is its oil changed?"
    assert "Kestrel" in answer.standalone_question
    assert answer.standalone_question in chat.prompts[0][-1].content


def test_a_question_in_another_language_is_searched_in_that_of_the_documents() -> None:
    shelf = Shelf({name: TEXTS[name] for name in ("pump", "orchard")})
    chat = ScriptedChat("At how many bar does the pump run?", "是\n水泵以 40 bar 运行。[1]")

    answer = ask(answerer(shelf, chat, translates=True), "水泵以多少 bar 运行？")

    assert answer.searched == "At how many bar does the pump run?"
    assert answer.standalone_question == "水泵以多少 bar 运行？"
    assert "Question: 水泵以多少 bar 运行？" in chat.prompts[1][-1].content


def test_closing_the_events_stops_the_model(shelf: Shelf) -> None:
    chat = ScriptedChat("Yes. " + f"{RIGHT} " * 50)
    stream = answerer(shelf, chat).events(Ask(QUESTION, ["default"], 5))
    for event in stream:
        if isinstance(event, Token):
            break

    stream.close()  # type: ignore[attr-defined]

    assert chat.closed == 1


def test_a_bad_question_raises_before_the_first_event(shelf: Shelf) -> None:
    made = answerer(shelf, None)

    for question, collections, error in (("", ["default"], InvalidRequestError), ("a", ["no"], NotFoundError)):
        with pytest.raises(error):
            made.events(Ask(question, collections, 5))


@pytest.mark.parametrize("mode", list(SearchMode))
def test_what_the_catalog_has_forgotten_is_not_found(shelf: Shelf, mode: SearchMode) -> None:
    retriever, _ = over(shelf)

    def found(**more: Any) -> set[str]:
        searched = retriever.search("pump 40 bar", collections=["default"], top_k=5, mode=mode, **more)
        return {item.document_id for item in searched.passages}

    assert "pump" in found()
    assert found(filters={"name": ["orchard"]}) <= {"orchard"}
    shelf.hidden.add("pump")
    assert "pump" not in found()


def test_what_is_stored_is_what_was_searched(shelf: Shelf) -> None:
    answer = ask(answerer(shelf, None), " At how many bar\x00does the pump run? ")

    assert answer.question == answer.standalone_question == QUESTION
    assert answer.searched is None


def test_timings_and_features_tell_how_the_answer_came_about(shelf: Shelf) -> None:
    answer = ask(answerer(shelf, ScriptedChat(f"Yes. {RIGHT}")))

    assert set(answer.timings) == {"retrieve_ms", "evidence_ms", "verify_ms", "first_token_ms", "total_ms"}
    assert set(certainty.FOUND) < set(answer.features)
    assert answer.features["kept"] == 1
    assert 0 < answer.confidence < 1
