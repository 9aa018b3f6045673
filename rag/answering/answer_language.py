"""The language of an answer as it begins: a small model may answer a Chinese question in English, or the reverse. Pure.

Of 100 questions of cmrc2018 the local model, told in English, answered ten in English; asked once more, in Chinese, it answered
all ten from the same sources.
"""

from __future__ import annotations

import re

from rag.answering.citations import strip_marks
from rag.text.language import CJK_RUN, STOP_WORDS, language

# Letters after which the language of a beginning is sure; of Chinese characters, which say more each, fewer are enough.
ENOUGH = 20
ENOUGH_CJK = 8
# Characters held back at most: what is no prose until here is code, a table or a list of names, which have no language.
LONGEST_HELD = 240
# Runs of Chinese, and English words without a capital, of which a name has fewer.
FEWEST_WORDS = {"zh": 1, "en": 3}
# What may stand in any language: what is quoted or code, and where such a thing begins.
_QUOTED = re.compile(
    r"```.*?(?:```|\Z)|《[^》]*》?|“[^”]*”?|「[^」]*」?|\"[^\"]*\"?|`[^`]*`?|\bhttps?://\S+", re.DOTALL
)
# Words that make English prose; the others of that kind stand in names, too.
_PROSE = STOP_WORDS - {"of", "the", "and", "for", "in", "at", "on"}
_LOWER = re.compile(r"\b[a-z]+\b")
# What makes Chinese prose rather than a name.
_PROSE_ZH = re.compile("[的是了在会可需请您你应将被把并也都为]|[。；！？]")
# Kana and hangul, for which `language` knows no name of their own.
_OTHER = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
# A question that says which language it wants.
_ASKED_FOR = re.compile(
    r"\b(?:answer|reply|respond|explain|write|say|tell me|give me|put|summari[sz]e)\b[^.?!]*\b(?:in|into) (chinese|english)\b[\s.?!]*$"
    r"|(?:^|[.?!,？。]\s*)(?:(?:and|but|now) )?in (chinese|english)\b(?:[ ,]+please)?[\s.?!]*$"
    r"|\bin (chinese|english),? please\b|\bplease in (chinese|english)\b"
    r"|[用以](中文|汉语|英文|英语)(?:来|再)?(?:回答|答|说|解释|讲|写|总结|介绍|告诉)",
    re.IGNORECASE,
)
_NAMED = {"chinese": "zh", "中文": "zh", "汉语": "zh", "english": "en", "英文": "en", "英语": "en"}


class AnswerLanguage:
    """Holds back the beginning of an answer until its language is sure; `foreign` once it is not the one wanted."""

    def __init__(self, wanted: str | None) -> None:
        """`wanted`: "zh" or "en"; None where any language will do and nothing is held back."""
        self.wanted = wanted
        self.foreign = False
        self._waits = wanted is not None
        self._held = ""

    @classmethod
    def of(cls, question: str) -> AnswerLanguage:
        """One that wants the question's own language, or the one that it asks for; any, if it is Japanese or Korean."""
        if asked := _ASKED_FOR.search(question):
            return cls(_NAMED[next(name for name in asked.groups() if name).casefold()])
        return cls(None if _OTHER.search(question) else language(question))

    def feed(self, text: str) -> str:
        """What may be shown of the text so far."""
        if not self._waits:
            return text
        self._held += text
        said = _said(self._held)
        told = _prose(said)
        if told == self.wanted or self._begins(said) or (told is None and len(self._held) > LONGEST_HELD):
            return self._release()
        self.foreign = told is not None and _enough(said)
        return ""

    def rest(self) -> str:
        """What is still held back, once no more text will come: a number or a name is at home in every language."""
        if self._waits:
            told = _prose(_said(self._held))
            self.foreign = self.foreign or (told is not None and told != self.wanted)
        return "" if self.foreign else self._release()

    def _begins(self, said: str) -> bool:
        """Whether this can go on in the wanted language only: a name in another script would look different."""
        words = CJK_RUN.findall(said) if self.wanted == "zh" else _LOWER.findall(said)
        return len(words) >= FEWEST_WORDS[self.wanted or "en"] and language(said) == self.wanted

    def _release(self) -> str:
        self._waits, held = False, self._held
        self._held = ""
        return held


def _said(text: str) -> str:
    """The text without marks and without what it only quotes."""
    return _QUOTED.sub(" ", strip_marks(text).text)


def _enough(said: str) -> bool:
    chinese = sum(map(len, CJK_RUN.findall(said)))
    return chinese >= ENOUGH_CJK or sum(map(str.isalpha, said)) - chinese >= ENOUGH


def _prose(said: str) -> str | None:
    """The language of what is prose; None for a name, a number, an address or code, and for other languages."""
    if _OTHER.search(said):
        return None
    if language(said) == "zh":
        return "zh" if _PROSE_ZH.search(said) else None
    lower = _LOWER.findall(said)
    opens = said.lstrip().startswith(("The ", "It ", "This ", "In ", "According ")) and len(lower) > 2
    return "en" if opens or not _PROSE.isdisjoint(lower) else None
