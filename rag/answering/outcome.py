"""The whole answer, put together of what was searched, what was written and what it took."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from rag.answering import prompts
from rag.answering.builder import SUPPORTED, AnswerBuilder
from rag.answering.events import Ask, Done
from rag.answering.wording import EXTRACTIVE
from rag.types import Abstention, Answer, Certainty, Retrieval

NEAREST = 3


@dataclass(slots=True)
class Outcome:
    """What is known of a question while it is answered.

    `features` are those that certainty is judged by, `confidence` the last chance, 0..1, that was computed; `spent` is in milliseconds.
    """

    ask: Ask
    standalone: str
    retrieval: Retrieval
    started: float
    model: str = EXTRACTIVE
    confidence: float = 0.0
    kind: str = ""
    features: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spend("retrieve_ms", self.started)

    def spend(self, stage: str, since: float) -> None:
        """Add the time since `since` (of `time.perf_counter`) to a stage's timing."""
        self.spent[stage] = round(self.spent.get(stage, 0.0) + (time.perf_counter() - since) * 1000, 1)


def finished(outcome: Outcome, builder: AnswerBuilder, sure: Certainty | None, reason: Abstention | None) -> Done:
    """The last event. `sure` None: nothing is answered, and what the builder holds is the line that says so."""
    answered = sure is not None
    text, kept, citations, left = builder.assembled() if answered else (builder.text, (), (), ())
    now = time.perf_counter()
    query = outcome.retrieval.query
    timings = {
        **outcome.spent,
        "verify_ms": round(builder.verify_ms, 1),
        "first_token_ms": round(((builder.first_token_at or now) - outcome.started) * 1000, 1),
        "total_ms": round((now - outcome.started) * 1000, 1),
    }
    return Done(
        Answer(
            id=uuid.uuid4().hex,
            question=outcome.ask.question,
            standalone_question=outcome.standalone,
            answer=text,
            answered=answered,
            reason=reason,
            citations=citations,
            sentences=kept,
            groundedness=_groundedness(builder) if answered else None,
            retrieved=outcome.retrieval.passages,
            nearest=outcome.retrieval.passages[:NEAREST],
            conversation_id=outcome.ask.conversation_id,
            model=outcome.model,
            prompt_version=prompts.version(),
            usage=builder.usage,
            timings=timings,
            dropped=left,
            confidence=round(outcome.confidence, 4),
            searched=query if query != outcome.standalone else None,
            certainty=sure,
            kind=outcome.kind,
            features=dict(outcome.features),
        )
    )


def _groundedness(builder: AnswerBuilder) -> float:
    """The share of the claims written, dropped ones included, that their sources support or are consistent with."""
    judged = builder.judgements
    return round(sum(each.verdict in SUPPORTED for each in judged) / len(judged), 4) if judged else 1.0
