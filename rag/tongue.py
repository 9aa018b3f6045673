"""The language of an answer as it begins: a small model told in English may answer a Chinese question in English. Pure.

Of 100 questions of cmrc2018 the local model answered ten so, and none of these answers could be checked against its Chinese
sources; asked once more, in Chinese, it answered all ten from them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.citations import strip_marks
from rag.language import STOP_WORDS, language
from rag.types import Evidence

# Letters after which the language of a beginning is sure.
ENOUGH = 20
# What may stand in any language: what is quoted or code, and where such a thing begins.
_QUOTED = re.compile(r"《[^》]*》?|“[^”]*”?|「[^」]*」?|\"[^\"]*\"?|`[^`]*`?")
# Words that make English prose; the others of that kind stand in names, too.
_PROSE = STOP_WORDS - {"of", "the", "and", "for", "in", "at", "on"}
_LOWER = re.compile(r"\b[a-z]+\b")
# Kana and hangul, for which `language` knows no name of their own.
_OTHER = re.compile("[\u3040-\u30ff\uac00-\ud7af]")


class Tongue:
    """Holds back the beginning of an answer until its language is sure; `foreign` once it is not the one wanted."""

    def __init__(self, wanted: str | None) -> None:
        """`wanted`: "zh", or None where any language will do and nothing is held back."""
        self._wanted = wanted
        self._held = ""
        self.foreign = False

    @classmethod
    def of(cls, question: str, evidence: Sequence[Evidence]) -> Tongue:
        """One that wants Chinese where both the question and its best source are Chinese."""
        texts = (question, evidence[0].text if evidence else "")
        chinese = all(language(text) == "zh" and not _OTHER.search(text) for text in texts)
        return cls("zh" if chinese else None)

    def feed(self, text: str) -> str:
        """What may be shown of the text so far."""
        if self._wanted is None:
            return text
        self._held += text
        if language(self._held) == self._wanted:
            return self._release()
        said = _said(self._held)
        self.foreign = sum(map(str.isalpha, said)) >= ENOUGH and _is_prose(said)
        return ""

    def rest(self) -> str:
        """What is still held back, once no more text will come: a number or a name is at home in every language."""
        self.foreign = self.foreign or _is_prose(_said(self._held))
        return "" if self.foreign else self._release()

    def _release(self) -> str:
        self._wanted, held = None, self._held
        self._held = ""
        return held


def _said(text: str) -> str:
    """The text without marks and without what it only quotes."""
    return _QUOTED.sub(" ", strip_marks(text).text)


def _is_prose(text: str) -> bool:
    """Whether this is English rather than a name, an address or code: it has words such as "is", and others."""
    lower = _LOWER.findall(text)
    return not _PROSE.isdisjoint(lower) or (
        text.lstrip().startswith(("The ", "It ", "This ", "In ", "According ")) and len(lower) > 2
    )
