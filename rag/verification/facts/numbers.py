"""Number words to values: "twenty-five thousand", "half a dozen" parts, "三百二十", "二〇二一". Pure arithmetic on words.

Knows nothing of units, signs or dates.
"""

from __future__ import annotations

import re
from fractions import Fraction

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
CARDINALS = {word: n for n, word in enumerate(_SMALL)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
ORDINALS = dict(
    zip("first second third fourth fifth sixth seventh eighth ninth tenth".split(), range(1, 11), strict=True)
)
ORDINALS |= {"eleventh": 11, "twelfth": 12}
ORDINALS |= {f"{word}th": n for word, n in CARDINALS.items() if 13 <= n <= 19}
ORDINALS |= {f"{word[:-1]}ieth": n for word, n in CARDINALS.items() if n >= 20}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
FRACTIONS = {"half": Fraction(1, 2), "halves": Fraction(1, 2), "quarter": Fraction(1, 4), "quarters": Fraction(1, 4)}
FRACTIONS |= {"thirds": Fraction(1, 3), "fifths": Fraction(1, 5), "tenths": Fraction(1, 10)}
TIMES = {"twice": 2, "double": 2, "doubled": 2, "doubles": 2, "triple": 3, "tripled": 3, "thrice": 3, "once": 1}

_WORD = "|".join(sorted((*CARDINALS, *ORDINALS), key=len, reverse=True))
_SCALE = "|".join(SCALES)
ENGLISH = re.compile(
    rf"\b(?:(?:{_WORD})(?:[\s-]+(?:{_WORD})\b){{0,2}}|an?(?=\s+(?:{_SCALE})\b))"
    rf"(?:[\s-]+(?:{_SCALE})\b(?:(?:\s+and|,)?[\s-]+(?:{_WORD})\b(?:[\s-]+(?:{_WORD})\b)?)?)*(?![a-z])"
)

DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "兩": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "伍": 5,
}
_POWERS = {"十": 10, "拾": 10, "百": 100, "千": 1000}
MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
HAN = re.compile(f"[{''.join(DIGITS)}{''.join(_POWERS)}{''.join(MYRIADS)}廿卅]+")


def english_value(words: str) -> tuple[int, ...]:
    """The value of folded number words that `ENGLISH` matched; two values where two stand side by side ("nineteen ninety")."""
    groups: list[int] = []
    total = current = 0
    last = 0
    for word in re.findall(r"[a-z]+", words):
        if word in SCALES:
            scale = SCALES[word]
            if scale == 100:
                current = max(current, 1) * 100
            else:
                total, current = total + max(current, 1) * scale, 0
            last = scale
            continue
        value = CARDINALS.get(word, ORDINALS.get(word))
        if value is None:
            continue
        if current % 100 and not (20 <= last <= 90 and value < 10):
            groups.append(total + current)
            total = current = 0
        current += value
        last = value
    return _joined([*groups, total + current])


def _joined(groups: list[int]) -> tuple[int, ...]:
    # "nineteen ninety-eight" is a year
    if len(groups) == 2 and 10 <= groups[0] <= 21 and 10 <= groups[1] <= 99:
        return (groups[0] * 100 + groups[1],)
    return tuple(groups)


def han_value(run: str) -> int | None:
    """The value of a run of Chinese number characters; None when it only scales ("万") or is no number."""
    run = run.replace("廿", "二十").replace("卅", "三十")
    if all(character in DIGITS for character in run):
        return int("".join(str(DIGITS[character]) for character in run))
    if run[0] in MYRIADS or all(character in "百千万亿億萬兆" for character in run):
        return None
    total = section = digit = 0
    for character in run:
        if character in DIGITS:
            digit = DIGITS[character]
        elif character in _POWERS:
            section += (digit or 1) * _POWERS[character]
            digit = 0
        else:
            head = section + digit
            # 三万亿 scales what stands before it, 一亿二千万 adds to it
            total = total * MYRIADS[character] if total and not head else total + head * MYRIADS[character]
            section = digit = 0
    return total + section + digit


def scale_value(word: str) -> int:
    """What a scale behind digits multiplies by: "million", "bn", "万", "千", "百万", "万亿"; 1 for anything else."""
    short = {"k": 1000, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
    if word in SCALES or word in short:
        return SCALES.get(word) or short[word]
    value = 1
    for character in word:
        value *= _POWERS.get(character) or MYRIADS.get(character) or 1
    return value
