"""The names of members of zip archives, in the encoding that they were written in.

Owns that judgement, for `zipfile` takes each name without the UTF-8 flag for that of an American DOS: it is told by the
Unicode field that some programs add, else by what all names of the archive spell. Must not open any archive.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence

from ingest.readers.text.charset import legacy_encoding

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_MANY = 5
_LETTERS = re.compile(r"[^\W\d_]")
# Level 1 of GB 2312 holds the 3,755 common characters: lead bytes B0 to D7. Of Big5 the common ones lead with A4 to C6.
_COMMON_LEADS = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp932": (0x88, 0x97), "cp949": (0xB0, 0xC8)}
_LEAST = 0.7  # share of characters that must be common ones


def told_names(members: Sequence[zipfile.ZipInfo]) -> dict[str, str]:
    """The name that is meant by each name that `zipfile` gives, where that is another."""
    names: dict[str, str] = {}
    legacy: dict[str, bytes] = {}
    for member in members:
        if member.filename.isascii() or member.flag_bits & _UTF8_FLAG:
            continue
        try:
            raw = member.filename.encode("cp437")
        except UnicodeEncodeError:
            continue
        told = _unicode_path(member, raw)
        if told is None:
            legacy[member.filename] = raw
        else:
            names[member.filename] = told
    encoding = _encoding_of(list(legacy.values()))
    for shown, raw in legacy.items():
        names[shown] = raw.decode(encoding, "replace")
    return {shown: name for shown, name in names.items() if name != shown}


def _unicode_path(member: zipfile.ZipInfo, raw: bytes) -> str | None:
    """The name in the Info-ZIP Unicode Path field (0x7075), if it is about this very name."""
    extra, at = member.extra, 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + size]
        if kind == _UNICODE_PATH and field[:5] == b"\x01" + struct.pack("<I", zlib.crc32(raw)):
            try:
                return field[5:].decode("utf-8") or None
            except UnicodeDecodeError:
                return None
        at += 4 + size
    return None


def _encoding_of(names: Sequence[bytes]) -> str:
    """The encoding in which names make sense: UTF-8, the East Asian ones, else an alphabet's; cp437 where none does."""
    if not names:
        return "cp437"
    sample = b"\n".join(names)
    try:
        sample.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    best, best_share = "", 0.0
    for encoding in _COMMON_LEADS:
        share = _share_of_common(sample, encoding)
        if encoding == "cp949" and share >= 0.95 and len(_HANGUL.findall(sample.decode(encoding))) >= _MANY:
            return encoding  # as Chinese it would have to be made of one half of the common characters
        if share > best_share + 0.05:
            best, best_share = encoding, share
    if best_share >= _LEAST:
        return best
    # Names of DOS spell an alphabet in cp437 or its like; those of Windows would show frames and blocks there.
    dos = sample.decode("cp437")
    high = [each for each in dos if each > "\x7f"]
    if sum(bool(_LETTERS.match(each)) for each in high) >= 0.9 * len(high):
        return "cp437"
    found = legacy_encoding(sample)
    try:
        text = sample.decode(found)
    except UnicodeDecodeError:
        return "cp437"
    high = [each for each in text if each > "\x7f"]
    return found if sum(bool(_LETTERS.match(each)) for each in high) >= 0.8 * len(high) else "cp437"


def _share_of_common(sample: bytes, encoding: str) -> float:
    """The share of the characters above ASCII that are common in the languages of an encoding; 0 where it does not fit."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    first, last = _COMMON_LEADS[encoding]
    common = others = 0
    kana = len(_KANA.findall(text))
    for each in text:
        if each <= "\x7f":
            continue
        others += 1
        written = each.encode(encoding)
        if encoding == "cp932":
            common += bool(_KANA.match(each)) or (kana > 0 and first <= written[0] <= last)
        elif len(written) == 2 and first <= written[0] <= last:
            common += encoding != "cp949" or "\uac00" <= each <= "\ud7a3"
        elif len(written) == 2 and written[0] in (0xA1, 0xA3):
            common += 1  # punctuation
    pairs = sum(each > "\x7f" and len(each.encode(encoding)) == 2 for each in text)
    least = 1 if encoding in ("gb18030", "cp949") else 2  # elsewhere an accented letter and the one after it make one
    return common / others if others >= least and pairs >= 0.8 * others else 0.0
