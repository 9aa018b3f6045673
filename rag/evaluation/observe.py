"""Rows to fit abstention on, made of golden questions: what is seen when each judgement is due, and whether an answer exists.

A row a question for `retrieval` (before the model), and one for `model` (after its yes or no) where there is a model, whatever
the first judgement would say. It is given its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.answering import prompts
from rag.answering.certainty import features, gate
from rag.evaluation.golden import GoldenQuestion, file_matches
from rag.evaluation.local import Searcher
from rag.ports import ChatModel
from rag.types import Evidence, Message, Retrieval

# Enough for the yes or no that an answer begins with.
OPENING_TOKENS = 4


def observe(
    questions: Sequence[GoldenQuestion],
    searcher: Searcher,
    select: Callable[[Retrieval], Sequence[Evidence]],
    chat: ChatModel | None,
    *,
    collection: str,
    top_k: int,
    name: str,
    withheld: bool = False,
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each question, in order; `name` is the set that they belong to.

    `withheld` takes the gold documents out of what a question finds: it has no answer then.

    A question for which no evidence is found has no row: it is declined without a judgement.

    Raises:
        ChatUnavailableError: the model does not answer.
    """
    for question in questions:
        retrieval = searcher.search(question.question, collections=[collection], top_k=top_k)
        if withheld:
            retrieval = _without_gold(question, retrieval)
        evidence = select(retrieval)
        seen = {"retrieval": features(retrieval, evidence)} if evidence else {}
        if evidence and chat is not None:
            opening = _opening(chat, prompts.build(question.question, evidence))
            seen["model"] = {**seen["retrieval"], "gate": gate(opening)}
        yield [
            {
                "judgement": judgement,
                "answerable": question.answerable and not withheld,
                "features": {feature: round(value, 4) for feature, value in values.items()},
                "set": name,
            }
            for judgement, values in seen.items()
        ]


def _without_gold(question: GoldenQuestion, retrieval: Retrieval) -> Retrieval:
    files = {gold.file for gold in question.relevant} | {span.file for span in question.spans}
    kept = (item for item in retrieval.passages if not any(file_matches(file, item.filename) for file in files))
    return replace(retrieval, passages=tuple(kept))


def _opening(chat: ChatModel, messages: Sequence[Message]) -> prompts.Opening:
    opening = prompts.Opening()
    stream = chat.stream(messages, max_tokens=OPENING_TOKENS)
    try:
        for delta in stream:
            opening.alternatives = opening.alternatives or delta.alternatives
            opening.feed(delta.text)
            if opening.decided:
                break
    finally:
        if isinstance(stream, Generator):
            stream.close()
    opening.rest()
    return opening
