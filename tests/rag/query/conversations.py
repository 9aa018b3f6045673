"""Conversations and questions that the rules of rag/query are fitted and judged on, all written for it.

A row holds a question before, perhaps its answer, and what is asked next: a follow-up or a new question.

- conversations_en.txt, conversations_zh.txt: varied subjects; half of them, drawn by a hash of what is asked, were not looked at
  while the rules were written, and are left out of the fit.
- conversations_classic.txt, conversations_short.txt: all in the fit.
- conversations_unseen.txt, conversations_fresh.txt: in no fit; the latter written when rules and weights were done.
- mixed_languages.txt: questions of one language with words of the other, all in the fit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rag.types import Message

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True, slots=True)
class Turn:
    """What is asked after another question. `needs`: what the standalone question of a follow-up holds."""

    follows: bool
    before: str
    answer: str
    asked: str
    needs: tuple[str, ...]

    @property
    def history(self) -> list[Message]:
        """The conversation before."""
        return [Message("user", self.before), *([Message("assistant", self.answer)] if self.answer else [])]

    @property
    def held_out(self) -> bool:
        """Whether it is of the half that the rules have not seen."""
        return hashlib.sha256(self.asked.encode()).digest()[0] % 2 == 1

    def is_right(self, standalone: str) -> bool:
        """Whether this is what the question should become."""
        if not self.follows:
            return standalone == self.asked
        return standalone != self.asked and all(need.casefold() in standalone.casefold() for need in self.needs)


def lines(name: str) -> list[list[str]]:
    """The rows of a fixture, as fields."""
    text = (FIXTURES / name).read_text(encoding="utf-8")
    return [
        [field.strip() for field in line.split(" | ")]
        for line in text.splitlines()
        if line.strip() and not line.startswith("#")
    ]


def turns(name: str) -> list[Turn]:
    """The conversations of a fixture."""
    found = []
    for kind, said, asked, *needs in lines(name):
        before, _, answer = said.partition(" => ")
        found.append(Turn(kind == "follow", before, answer, asked, tuple(needs[0].split("/")) if needs else ()))
    return found


def mixed_questions() -> list[tuple[str, str]]:
    """(language, question): questions of one language with words of the other."""
    return [(spoken, " | ".join(asked)) for spoken, *asked in lines("mixed_languages.txt")]
