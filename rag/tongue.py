"""The language of an answer as it begins: a small model told in English may answer a Chinese question in English. Pure.

Of 100 questions of cmrc2018 the local model answered ten so, and none of these answers could be checked against its Chinese
sources; asked once more, in Chinese, it answered all ten from them.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.language import language, words
from rag.types import Evidence

# Characters after which the language of a beginning is sure, and Latin words that no name is made of.
ENOUGH = 24
SENTENCE = 3


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
        chinese = evidence and language(question) == language(evidence[0].text) == "zh"
        return cls("zh" if chinese else None)

    def feed(self, text: str) -> str:
        """What may be shown of the text so far."""
        if self._wanted is None:
            return text
        self._held += text
        if language(self._held) == self._wanted:
            return self._release()
        self.foreign = len(self._held.strip()) >= ENOUGH
        return ""

    def rest(self) -> str:
        """What is still held back, once no more text will come: a number or a name is at home in every language."""
        self.foreign = self.foreign or len(words(self._held)) >= SENTENCE
        return "" if self.foreign else self._release()

    def _release(self) -> str:
        self._wanted, held = None, self._held
        self._held = ""
        return held
