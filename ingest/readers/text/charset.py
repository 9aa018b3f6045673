"""Which legacy encoding bytes are in, by what they spell.

Owns the guess for text that is neither Unicode nor declared. Encodings of one byte a letter are told by the alphabets of the
languages that are written in them: a wrong one puts signs into the middle of words, or letters together that no language
has together. Looks at some lines only.
"""

from __future__ import annotations

import re
from collections import Counter

_WESTERN = (
    "àâæçéèêëîïôœùûü",
    "äöüß",
    "áéíóúñüªº",
    "àèéìíîòóù",
    "áâãàçéêíóôõúü",
    "åäöé",
    "æøåéò",
    "áðéíóúýþæö",
    "ëéïöüè",
)
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţ", "ăâîșț")
_BALTIC = ("āčēģīķļņōŗšūž", "ąčęėįšųūž", "äöõüšž")
_CYRILLIC = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", "абвгдђежзијклљмнњопрстћуфхцчџш",
    "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
)  # fmt: skip
_GREEK = ("αβγδεζηθικλμνξοπρστυφχψωάέήίόύώςϊϋΐΰ",)
_ARABIC = ("ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىپچژکگی",)
_HEBREW = ("אבגדהוזחטיכךלמםנןסעפףצץקרשת" + "".join(map(chr, range(0x05B0, 0x05C8))),)
_THAI = ("".join(map(chr, range(0x0E01, 0x0E5C))),)
# Of equals the first wins, so the common ones come first.
_ALPHABETS: dict[str, tuple[str, ...]] = {
    "cp1252": _WESTERN, "cp1250": _CENTRAL, "iso8859-2": _CENTRAL, "cp1254": ("âçğıîöşüû",), "cp1257": _BALTIC,
    "cp1251": _CYRILLIC, "koi8-r": _CYRILLIC, "koi8-u": _CYRILLIC, "cp866": _CYRILLIC, "iso8859-5": _CYRILLIC,
    "mac-cyrillic": _CYRILLIC, "cp855": _CYRILLIC, "cp1253": _GREEK, "iso8859-7": _GREEK, "cp1255": _HEBREW,
    "cp1256": _ARABIC, "iso8859-6": _ARABIC, "cp874": _THAI, "cp1258": ("àâăđêôơưáéíóúý\u0300\u0301\u0303\u0309\u0323₫",),
    "cp852": _CENTRAL, "cp850": _WESTERN, "mac-roman": _WESTERN, "iso8859-16": _CENTRAL, "iso8859-3": ("ċġħżàèìòù", "ĉĝĥĵŝŭ"),
    "iso8859-13": _BALTIC, "iso8859-4": _BALTIC, "iso8859-10": _BALTIC,
}  # fmt: skip
_RARE = frozenset("cp852 cp850 cp855 mac-roman iso8859-16 iso8859-3 iso8859-13 iso8859-4 iso8859-10".split())
# The letters that running text is mostly made of, in scripts that several encodings can spell in full, and the
# share of it that they make at least.
_COMMON = {
    _CYRILLIC: ("оеаинтсрвл", 0.5), _GREEK: ("αοιετσνηυρ", 0.5), _ARABIC: ("اليمونرتبع", 0.5), _HEBREW: ("יוהלארתמבשנד", 0.5),
    _THAI: ("านรอกเงมยลทสดบปว่้ีิ์ัคตหไขแพจใะำโุู", 0.85),
}  # fmt: skip
_NEUTRAL = frozenset("“”‘’„‚«»‹›–—…•·°§©®™€£¥¤¿¡ \u00a0\u200c\u200d\u200e\u200f№")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_INSIDE = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’·](?=[^\W\d_])")
_TURNED = re.compile(r"[a-zß-öø-ÿа-яё][A-ZÀ-ÖØ-ÞА-ЯЁ](?=[^\W\d_])")
_MIXED = re.compile(r"[A-Za-z](?=[^\W\d_\x00-\x7f])|(?<=[^\W\d_\x00-\x7f])[A-Za-z]")
_SEARCHED, _SAMPLE = 8 << 20, 12_000  # bytes
_PLAUSIBLE = 0.75
_DENSE = 0.15  # East Asian text has more bytes above ASCII than this
MULTIBYTE = ("cp932", "euc_jp", "cp949", "big5", "gb18030")
_FREQUENT_CHINESE = (
    "的一是不了在人有我他这這中大来來上国國个個到说說们們为為子和你地出道也时時年得就那要下以生会會自着著去之过過家学學对對可里裡后後小么"
    "麼心多天而能好都然没沒日于於起还還发發成事只作当當想看文无無开開手用主行方又如前所本见見经經头頭面公同三已老从從动動两兩长長语語字"
)
_FREQUENT_KOREAN = "이다는을를가에의도고로하은지사기한서시자리어아나인해대부그수있것들게었"
_FREQUENT = re.compile(f"[\u3041-\u30ff、。，「」{_FREQUENT_KOREAN}{_FREQUENT_CHINESE}]")
# A lone one between other letters is an accented letter and the one after it.
_TOGETHER = re.compile("[\u3001-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]{2,}")


def legacy_encoding(data: bytes) -> str:
    """The encoding that fits best a text that is not UTF-8."""
    sample = _telling(data)
    single, score = _best_single_byte(sample)
    if _is_gb2312(sample, certain=score < _PLAUSIBLE):
        return "gb18030"
    several, share = _best_multibyte(sample)
    if share >= (0.3 if score >= _PLAUSIBLE else 0.1):
        return several
    if score >= _PLAUSIBLE:
        return single
    from charset_normalizer import from_bytes

    if sum(map(len, _HIGH_RUN.findall(sample))) >= _DENSE * len(sample):
        guess = from_bytes(sample, cp_isolation=list(MULTIBYTE)).best()
        if guess is not None and guess.encoding in MULTIBYTE:
            return guess.encoding
    return single if score > 0 else _western(sample)


def _telling(data: bytes) -> bytes:
    """The first lines that are not ASCII."""
    found, length = [], 0
    for line in data[:_SEARCHED].splitlines(keepends=True):
        if not line.isascii():
            found.append(line[:_SAMPLE])
            length += len(found[-1])
            if length >= _SAMPLE:
                break
    return b"".join(found)[:_SAMPLE] or data[:_SAMPLE]


def _best_multibyte(sample: bytes) -> tuple[str, float]:
    """The best encoding of East Asian text, and the share of its characters that such text is mostly made of."""
    best, best_share = "gb18030", 0.0
    for encoding in MULTIBYTE:
        text = sample.decode(encoding, "replace")
        others = sum(character > "\x7f" for character in text)
        if not others or text.count("\ufffd") > 1 + 0.01 * others:
            continue
        together = sum(map(len, _TOGETHER.findall(text)))
        share = len(_FREQUENT.findall(text)) / others
        if share > best_share and together >= 0.6 * others:
            best, best_share = encoding, share
    return best, best_share


def _is_gb2312(sample: bytes, *, certain: bool) -> bool:
    """Whether pairs of high bytes look like simplified Chinese. Not `certain`: another encoding fits well, too."""
    runs = _HIGH_RUN.findall(sample)
    high = sum(map(len, runs))
    pairs = [run[i] for run in runs for i in range(0, len(run) - 1, 2) if min(run[i], run[i + 1]) >= 0xA1]
    # GB 2312: common characters lead with B0..D7, punctuation with A1 and A3, both bytes high. Korean has the same shape
    # but stays below C9; Japanese is told by kana (A4, A5), which leave too few pairs over.
    common = [lead for lead in pairs if 0xB0 <= lead <= 0xD7 or lead in (0xA1, 0xA3)]
    korean = len(pairs) >= 8 and max(pairs) <= 0xC8 and 0xA3 not in pairs
    if not pairs or korean or 2 * len(common) < 0.7 * high:
        return False
    text = sample.decode("gb18030", "replace")
    if text.count("\ufffd") > 1 + 0.02 * len(pairs):  # one where the sample was cut
        return False
    return certain or len(_FREQUENT.findall(text)) >= 0.1 * len(pairs)


def _best_single_byte(sample: bytes) -> tuple[str, float]:
    """The best encoding of one byte a letter, and how well it fits, at most 1."""
    best, best_score = "cp1252", 0.0
    for encoding, alphabets in _ALPHABETS.items():
        score = _fit(sample.decode(encoding, "replace"), alphabets) - (0.15 if encoding in _RARE else 0.0)
        if score > best_score + 0.001:
            best, best_score = encoding, score
    return best, best_score


def _fit(text: str, alphabets: tuple[str, ...]) -> float:
    counts = Counter(character for character in text if character > "\x7f")
    whole = counts.total()
    if not whole:
        return 0.0
    neutral = sum(count for character, count in counts.items() if character in _NEUTRAL)
    letters: Counter[str] = Counter()
    for character, count in counts.items():
        letters[character.lower()] += count
    spelt = max(sum(letters[each] for each in alphabet) for alphabet in alphabets)
    known = set("".join(alphabets))
    wrong = sum(each not in known for each in _INSIDE.findall(text))  # marks above letters are no letters themselves
    wrong += len(_TURNED.findall(text)) + 2 * counts["\ufffd"]
    unusual = 0.0
    if alphabets in _COMMON:
        common, least = _COMMON[alphabets]
        wrong += len(_MIXED.findall(text))
        unusual = max(0.0, least - sum(counts[each] for each in common) / max(whole - neutral, 1))
    return (spelt + 0.9 * neutral - wrong) / whole - unusual


def _western(sample: bytes) -> str:
    """Windows-1252, unless a byte stands there that it does not define."""
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", sample) else "cp1252"
