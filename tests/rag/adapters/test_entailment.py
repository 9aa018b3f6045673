"""The adapters of entailment: what a chat model's tokens or lines tell, and which adapter the settings mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pytest

from rag.adapters.entailment import (
    AlternativesEntailment,
    ListedEntailment,
    build_entailment,
    chance_of_yes,
    read_lines,
)
from rag.errors import ChatUnavailableError
from rag.settings import Settings
from rag.types import ChatDelta, Message

PAIRS = [("The pump runs.", "It runs."), ("The valve is shut.", "It is open."), ("The pump runs.", "It stands.")]


class Chat:
    """Says what it is given, a delta a call; raises where that is an error. Records the prompts."""

    name = "chat"

    def __init__(self, *said: ChatDelta | Exception) -> None:
        self._said = list(said)
        self.prompts: list[str] = []

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> Iterator[ChatDelta]:
        self.prompts.append(messages[-1].content)
        delta = self._said.pop(0)
        if isinstance(delta, Exception):
            raise delta
        yield delta

    def ready(self) -> bool:
        return True


def test_yes_against_no() -> None:
    assert chance_of_yes({"Yes": math.log(0.6), " no": math.log(0.2)}) == pytest.approx(0.75)
    assert chance_of_yes({"Maybe": -0.1, "Yes": -9.0}) is None


def test_texts_that_are_the_same_are_asked_about_one_after_another() -> None:
    chat = Chat(
        *(ChatDelta("Yes", None, {"Yes": math.log(share), "No": math.log(1 - share)}) for share in (0.9, 0.2, 0.4))
    )

    assert AlternativesEntailment(chat).entails(PAIRS) == pytest.approx([0.9, 0.4, 0.2])
    assert ["pump" in prompt for prompt in chat.prompts] == [True, True, False]


def test_a_model_that_is_gone_tells_nothing() -> None:
    gone = ChatUnavailableError("gone")

    assert AlternativesEntailment(Chat(gone)).entails(PAIRS) == [None] * 3
    assert ListedEntailment(Chat(gone)).entails(PAIRS) == [None] * 3


def test_a_hosted_model_is_asked_once_for_all() -> None:
    chat = Chat(ChatDelta("1: 95\n2: 0\n3: 40"))

    assert ListedEntailment(chat).entails(PAIRS) == [0.95, 0.0, 0.4]
    assert chat.prompts[0].count("The pump runs.") == 1


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Sure!\n**1**: 90\n- Claim 2: 5", {1: 0.9, 2: 0.05}),
        ("1. Yes\n2. no", {1: 1.0, 2: 0.0}),
        ("1: 120\n2: 50", {2: 0.5}),
        ("1: 90\n1: 10", {}),
        ("I think all of them hold.", {}),
    ],
)
def test_lines_are_read_as_models_write_them(written: str, found: dict[int, float]) -> None:
    assert read_lines(written) == found


def test_the_settings_choose() -> None:
    chat = Chat()

    assert build_entailment(Settings(), chat) is None
    assert build_entailment(Settings(entailment_model="none"), chat) is None
    assert isinstance(build_entailment(Settings(entailment_model="chat"), chat), AlternativesEntailment)
    hosted = Settings(llm="openai", llm_model="m")
    assert isinstance(build_entailment(hosted, chat), ListedEntailment)
    named = build_entailment(Settings(entailment_model="org/nli"), None)
    assert named is not None
    assert named.name == "nli"
