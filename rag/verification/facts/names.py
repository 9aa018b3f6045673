"""The names of a sentence, Latin and Chinese, and which of them a text does not know. Pure.

A Latin name is what a capital, inner capitals or digits in a word mark as one. A Chinese name has no mark: it is what a
sentence says that neither the text nor an everyday word explains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.text.language import CJK, CJK_RUN, STOP_WORDS, bigrams, fold, is_cjk, stem
from rag.verification.facts.quotations import flat
from rag.verification.facts.units import UNITS
from rag.verification.vocabulary import chinese, english, unusual

_TOKEN = re.compile(rf"[^\W_{CJK}]+(?:['’.&][^\W_{CJK}]+)*\+*")
_LINKS = frozenset("of the and de la le van von der den du da di al bin ibn for in on".split())
_ENDS_SENTENCE = re.compile(r"(?:^|[.!?:;。！？：；\n•*|(（\[“\"‘《「])\s*[-–—•*“\"‘'(（]*\s*$")


def unknown_names(sentence: str, text: str, *, numbers: Sequence[tuple[int, int]] = ()) -> list[str]:
    """Names of the sentence that the text does not know, in order.

    `numbers` are parts of the folded sentence that are read as quantities or dates, and are no names.
    """
    found = [name for name in names_of(_without(sentence, numbers)) if not _known(name, text)]
    if len(found) > 1:
        short = set(re.findall(r"\b[A-Z]{2,6}\b", text)) & {acronym.upper() for acronym in _acronyms(found)}
        found = [name for name in found if not any(name[0].upper() in acronym for acronym in short)]
    if is_cjk(sentence):
        found += _unknown_runs(sentence, text, numbers)
    return found


def _without(sentence: str, numbers: Sequence[tuple[int, int]]) -> str:
    """The sentence with its numbers and dates in lower case: a month is no name."""
    if len(fold(sentence)) != len(sentence):
        return sentence
    for start, end in numbers:
        sentence = f"{sentence[:start]}{sentence[start:end].lower()}{sentence[end:]}"
    return sentence


def names_of(sentence: str) -> Iterator[str]:
    """The Latin names of a text, in order: what is written as one and is no everyday word."""
    tokens = list(_TOKEN.finditer(sentence))
    chinese_around = is_cjk(sentence)
    for i, match in enumerate(tokens):
        word = match.group()
        bare = _bare(word)
        if len(bare) < 2 or (bare.isdigit() or not any(map(str.isalpha, bare))):
            continue
        if chinese_around:
            common = bare.islower() and stem(bare) in english()
            if not (
                common
                or fold(bare) in UNITS
                or fold(bare) in STOP_WORDS
                or re.fullmatch(r"\d+(?:st|nd|rd|th|[kKmMbB])?", bare)
            ):
                yield bare
            continue
        if re.fullmatch(r"\d[\d.,]*(?:[a-zA-Z]{1,5}|st|nd|rd|th|s)", word) and not re.search(
            r"\d[A-Z]\d|[A-Z]{2}", word
        ):
            continue
        inner = any(map(str.isupper, bare[1:])) or any(map(str.isdigit, bare))
        if not (bare[0].isupper() or inner) or fold(bare) in STOP_WORDS or fold(bare) in UNITS:
            continue
        if (
            inner
            or not _ENDS_SENTENCE.search(sentence, 0, match.start())
            or _names_something(bare, sentence, match.end(), tokens, i)
        ):
            yield bare


def _names_something(bare: str, sentence: str, end: int, tokens: list[re.Match[str]], i: int) -> bool:
    """Whether a word that is capitalised anyway is a name: no everyday word, or the beginning of a longer name."""
    folded = fold(bare)
    if folded in STOP_WORDS:
        return False
    if stem(folded) in english() or folded.endswith("ly"):
        return False
    following = tokens[i + 1] if i + 1 < len(tokens) else None
    if following is not None and following.group()[0].isupper() and not sentence[end : following.start()].strip():
        return True
    return not re.search(r"(?:ing|ed|tion|sion|ment|ness|ity|ies|ance|ence|ors|ers)$", folded)


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word).strip(".")


def _known(name: str, text: str) -> bool:
    words, acronyms = _index(text)
    parts = [plain(part) for part in re.split(r"[-'’.&/]", name) if part]
    whole = plain(name)
    if whole in words or all(part in words for part in parts):
        return True
    squeezed = re.sub(r"\W", "", whole)
    if any(character.isdigit() for character in squeezed) or len(squeezed) >= 5:
        around = _squeezed(text)
        if squeezed in around and (not squeezed[-1].isdigit() or re.search(re.escape(squeezed) + r"(?!\d)", around)):
            return True
    if name.isupper() and 2 <= len(squeezed) <= 6 and squeezed in acronyms:
        return True
    return any(_akin(whole, word) for word in words)


def _akin(name: str, word: str) -> bool:
    """Whether two words are forms of one name: a plural, or "Norway" and "Norwegian"."""
    if name[:3] != word[:3]:
        return False
    if stem(name) == stem(word):
        return True
    shared = 0
    for a, b in zip(name, word, strict=False):
        if a != b:
            break
        shared += 1
    endings = r"(?:n|an|ian|ean|ese|ish|ic|ch|s|es|er|i|y|a|ia|e|nce|land|way|wegian|rance|renc[eh]|any|many|pe|pean|ns|ans|ians|in|ain)?"
    return shared >= 4 and bool(re.fullmatch(endings, name[shared:])) and bool(re.fullmatch(endings, word[shared:]))


@lru_cache(maxsize=256)
def _index(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The plain words and stems of a text, and the acronyms that its phrases may have."""
    written = [_bare(match.group()) for match in _TOKEN.finditer(text)]
    words = {plain(part) for word in written for part in (word, *re.split(r"[-'’.&/]", word)) if part}
    words |= {stem(word) for word in words}
    return frozenset(words), frozenset(_acronyms(written))


def _acronyms(written: list[str]) -> Iterator[str]:
    heads = [word[0].lower() for word in written if word and word.lower() not in _LINKS]
    for size in range(2, 7):
        yield from ("".join(heads[i : i + size]) for i in range(len(heads) - size + 1))


@lru_cache(maxsize=256)
def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", plain(text))


def plain(word: str) -> str:
    """Folded, without diacritics."""
    if word.isascii():
        return word.lower()
    split = unicodedata.normalize("NFD", fold(word))
    return "".join(character for character in split if not unicodedata.combining(character))


def _unknown_runs(sentence: str, text: str, numbers: Sequence[tuple[int, int]]) -> list[str]:
    folded = fold(sentence)
    for start, end in numbers:
        folded = f"{folded[:start]}{' ' * (end - start)}{folded[end:]}"
    known = known_bigrams(text)
    held = set(flat(text))
    found = []
    for run in CJK_RUN.findall(folded):
        for name in unusual(run, novel(run, known)):
            new = sum(character not in held for character in name)
            if new >= 2 or (new and len(name) == 1):
                found.append(name)
    return found


def novel(run: str, known: frozenset[str]) -> list[bool]:
    """For each character of a CJK run whether it stands in no known pair of neighbours."""
    fresh = [True] * len(run)
    for i, pair in enumerate(bigrams(run)):
        if pair in known:
            fresh[i] = fresh[min(i + 1, len(run) - 1)] = False
    return fresh


@lru_cache(maxsize=256)
def known_bigrams(text: str) -> frozenset[str]:
    """The pairs of neighbouring CJK characters of a text, over white space and punctuation inside words too."""
    runs = CJK_RUN.findall(fold(text))
    joined = re.sub(r"[\s·・‧]+", "", fold(text))
    return frozenset(pair for run in (*runs, *CJK_RUN.findall(joined)) for pair in bigrams(run)) | frozenset(flat(text))


def everyday(pair: str) -> bool:
    """Whether a pair of CJK characters carries little: an everyday word, or with a particle in it."""
    characters, words = chinese()
    return pair in words or all(character in characters for character in pair)
