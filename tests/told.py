"""An answerer that says what a test tells it, over what the real retriever finds: for all that shows answers."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.answering.events import Ask, Cited, Done, Event, Retrieved, Token, Verified
from rag.retrieval.retriever import Retriever
from rag.types import (
    Abstention,
    Answer,
    AnswerPolicy,
    AnswerSentence,
    Certainty,
    CheckedBy,
    Citation,
    Passage,
    Usage,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with what stands between it and the next one. It cites the best passage, unless it is `uncited`.

    `cites`: the words of that passage that it rests on; empty for the whole passage.
    """

    text: str
    verdict: Verdict = Verdict.VERIFIED
    checked_by: CheckedBy | None = CheckedBy.TEXT
    gap: str = " "
    cites: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to be given."""

    sentences: Sequence[Said]
    certainty: Certainty | None = Certainty.HIGH
    reason: Abstention | None = None


class ToldAnswerer:
    """Stands in for `rag.answering.answerer.Answerer`. `answers`: by question; `asked`: what came; `delay`: seconds a word."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self.answers: dict[str, Told] = {}
        self.asked: list[Ask] = []
        self.delay = 0.0

    def events(self, ask: Ask) -> Iterator[Event]:
        self.asked.append(ask)
        told = self.answers[ask.question]
        passages = self._retriever.search(ask.question, collections=ask.collections, top_k=ask.top_k).passages
        yield Retrieved(passages)
        text, sentences, citations = "", [], list[Citation]()
        for said in told.sentences:
            if said.verdict == Verdict.UNSUPPORTED and ask.answers != AnswerPolicy.OPEN:
                continue
            start = len(text)
            pieces = re.findall(r"\S+\s*", said.text)
            numbers: tuple[int, ...] = ()
            if told.reason is None and said.verdict != Verdict.UNCITED:
                cited = _citation(passages, said.cites, len(citations) + 1)
                citations.append(cited)
                numbers = (cited.n,)
                yield Cited(cited)
                pieces.append(f" [{cited.n}]")
            for piece in pieces:
                text += piece
                yield Token(piece)
                time.sleep(self.delay)
            if told.reason is None:
                sentence = AnswerSentence(text[start:], start, len(text), numbers, said.verdict, (), said.checked_by)
                sentences.append(sentence)
                yield Verified(sentence)
            text += said.gap
            yield Token(said.gap)
        yield Done(_answer(ask, told, text.rstrip(), tuple(sentences), tuple(citations), passages))


def _citation(passages: Sequence[Passage], words: str, n: int) -> Citation:
    best = next((passage for passage in passages if words in passage.text), passages[0])
    start = best.char_start + (best.text.index(words) if words else 0)
    quote = words or best.text
    return Citation(
        n=n,
        document_id=best.document_id,
        filename=best.filename,
        page=best.page,
        page_end=best.page_end,
        char_start=start,
        char_end=start + len(quote),
        quote=quote,
        content_sha256=best.content_sha256,
        score=1.0,
    )


def _answer(
    ask: Ask,
    told: Told,
    text: str,
    sentences: tuple[AnswerSentence, ...],
    citations: tuple[Citation, ...],
    passages: tuple[Passage, ...],
) -> Answer:
    return Answer(
        id=uuid.uuid4().hex,
        question=ask.question,
        standalone_question=ask.question,
        answer=text,
        answered=told.reason is None,
        reason=told.reason,
        citations=citations,
        sentences=sentences,
        groundedness=1.0 if told.reason is None else None,
        retrieved=passages,
        nearest=passages[:5],
        conversation_id=ask.conversation_id,
        model="told",
        prompt_version="1",
        usage=Usage(),
        timings={"total_ms": 900.0},
        certainty=told.certainty if told.reason is None else None,
    )
