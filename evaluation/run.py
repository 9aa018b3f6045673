"""Golden questions put to a subject, one after the other, each with its measures and what was seen.

One question that fails is an error of its own row; the run ends early only when nothing answers any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from evaluation.fitting.observations import Found, Reply, Subject
from evaluation.golden import GoldenQuestion
from evaluation.measures import DEPTH, Row, measure_reply, measure_search
from rag.errors import ConfigurationError, DocentError, UnavailableError

# This many failures in a row from the first question on mean that the subject is down rather than the questions odd.
FAILURES_TO_STOP = 5
CACHED_TEXTS = 64


@dataclass(slots=True)
class Outcome:
    """What became of a question. `error` is empty when all went well."""

    question: GoldenQuestion
    row: Row = field(default_factory=dict)
    found: Found | None = None
    reply: Reply | None = None
    error: str = ""


def run(
    subject: Subject,
    questions: Sequence[GoldenQuestion],
    *,
    ask: bool,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> list[Outcome]:
    """An outcome for each question, in order.

    The first question is put once more before, unmeasured, so that nothing that is loaded on first use is timed.

    Raises:
        ConfigurationError: as the subject does (a token, a collection).
        UnavailableError: the first questions all failed.
    """
    text_of = lru_cache(maxsize=CACHED_TEXTS)(subject.text)
    _measured(subject, questions[0], text_of, ask=ask)
    outcomes: list[Outcome] = []
    for question in questions:
        outcomes.append(_measured(subject, question, text_of, ask=ask))
        if len(outcomes) == min(FAILURES_TO_STOP, len(questions)) and all(outcome.error for outcome in outcomes):
            raise UnavailableError(f"No question could be put: {outcomes[-1].error}")
        on_progress(len(outcomes))
    return outcomes


def _measured(subject: Subject, question: GoldenQuestion, text_of: Callable[[str], str], *, ask: bool) -> Outcome:
    outcome = Outcome(question)
    try:
        outcome.found = subject.search(question.question, depth=max(DEPTH, subject.top_k))
        outcome.row |= measure_search(question, outcome.found, top_k=subject.top_k)
        if ask:
            outcome.reply = subject.ask(question.question)
            outcome.row |= measure_reply(question, outcome.reply, text_of)
    except ConfigurationError:
        raise
    except DocentError as error:
        outcome.error = error.message
    outcome.row["errors"] = float(bool(outcome.error))
    return outcome
