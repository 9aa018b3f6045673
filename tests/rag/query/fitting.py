"""The weights of the question rules, fitted anew: `python -m tests.rag.query.fitting` prints them and the shares they reach.

Logistic regressions by Newton's method, with an L2 penalty on all weights but the bias. Follow-ups are fitted on the classic
conversations and the half that was looked at; languages on the mixed questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rag.query import followup_en, followup_zh
from rag.query.followup import said_before, standalone
from rag.query.smalltalk import polite_line
from rag.text import language
from tests.rag.query.conversations import Turn, mixed_questions, turns

PENALTIES = {"follow-up": 0.5, "language": 0.1}
LANGUAGES = {"en": followup_en, "zh": followup_zh}


def fit(rows: Sequence[Mapping[str, float]], labels: Sequence[bool], penalty: float) -> dict[str, float]:
    """The weights by name, "bias" among them, rounded to two places as they stand in the code."""
    names = ["bias", *rows[0]]
    x = np.array([[1.0, *row.values()] for row in rows])
    y = np.array(labels, dtype=float)
    ridge = np.eye(len(names)) * penalty
    ridge[0, 0] = 0.0
    weights = np.zeros(len(names))
    for _ in range(100):
        chance = 1 / (1 + np.exp(-x @ weights))
        step = np.linalg.solve((x.T * (chance * (1 - chance))) @ x + ridge, x.T @ (chance - y) + ridge @ weights)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return {name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)}


def shown(spoken: str) -> list[Turn]:
    """The conversations of a language that its rules may be fitted on."""
    rows = [turn for turn in turns(f"conversations_{spoken}.txt") if not turn.held_out]
    classic = [*turns("conversations_classic.txt"), *turns("conversations_short.txt")]
    return rows + [
        turn for turn in classic if polite_line(turn.asked) is None and language.language(turn.asked) == spoken
    ]


def followup_weights(spoken: str) -> dict[str, float]:
    """What rag/query/followup_en.py or followup_zh.py should hold."""
    rows = shown(spoken)
    features = [LANGUAGES[spoken].features(turn.asked, said_before(turn.before, turn.answer)) for turn in rows]
    return fit(features, [turn.follows for turn in rows], PENALTIES["follow-up"])


def language_weights() -> dict[str, float]:
    """What `rag.text.language.LANGUAGE_WEIGHTS` should hold."""
    rows = mixed_questions()
    return fit(
        [language.mixture(asked) for _, asked in rows], [spoken == "zh" for spoken, _ in rows], PENALTIES["language"]
    )


def main() -> None:
    """Print all weights, and how many conversations that were left out are right."""
    for spoken in LANGUAGES:
        print(spoken, followup_weights(spoken))
    print("language", language_weights())
    for name in ("en", "zh", "unseen", "fresh"):
        rows = [turn for turn in turns(f"conversations_{name}.txt") if turn.held_out or name in ("unseen", "fresh")]
        for follows in (True, False):
            right = [turn.is_right(standalone(turn.asked, turn.history)) for turn in rows if turn.follows == follows]
            print(name, "follow-ups" if follows else "new questions", f"{sum(right)} of {len(right)}, in no fit")


if __name__ == "__main__":
    main()
