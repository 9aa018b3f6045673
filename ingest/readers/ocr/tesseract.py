"""Text recognition by Tesseract, where it is installed.

Owns finding the program, its languages, the time for a page, and turning its table of words into lines. It runs as a process of its
own, on pictures that were drawn here, never on the file. Must not know PDF.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import lru_cache

from ingest.readers.ocr.recognition import OcrLine, Picture
from rag.text.language import CJK, CJK_RUN

_LANGUAGES = ("eng", "chi_sim")
_MIN_CONFIDENCE = 30.0  # of a line, 0..100; below it pictures without text turn into letters
_SURE = 60.0  # below it a line may be in the other language
_PAGE_SECONDS = 60.0
_GAP_IN_CJK = re.compile(f"(?<=[{CJK}，。；：、？！（）《》“”]) +(?=[{CJK}，。；：、？！（）《》“”])")


class Tesseract:
    """Tesseract, if it is there."""

    dpi = 300

    @property
    def available(self) -> bool:
        """Whether the program is installed with a language of ours."""
        program = shutil.which("tesseract")
        return bool(program and installed_languages(program))

    def recognise(self, picture: Picture, *, seconds: float) -> list[OcrLine] | None:
        """See `Engine`."""
        program = shutil.which("tesseract")
        languages = installed_languages(program) if program else ()
        if not program or not languages:
            return None
        until = time.monotonic() + seconds
        lines = self._run(program, languages, picture, seconds)
        if lines is None or len(languages) < 2 or all(line.confidence >= _SURE for line in lines):
            return _kept(lines)
        # The language named first decides: English first turns Chinese into capitals, but reads English best.
        other = self._run(program, languages[::-1], picture, until - time.monotonic()) or []
        return _kept(max(lines, other, key=_weight))

    def _run(self, program: str, languages: tuple[str, ...], picture: Picture, seconds: float) -> list[OcrLine] | None:
        seconds = min(seconds, _PAGE_SECONDS)
        if seconds < 1:
            return None
        header = f"P5 {picture.width} {picture.height} 255\n".encode()
        try:
            done = subprocess.run(  # noqa: S603  # a fixed program with fixed arguments, no shell
                [program, "stdin", "stdout", "-l", "+".join(languages), "--dpi", str(picture.dpi), "--psm", "3", "tsv"],
                input=header + picture.pixels,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=True,
            )
        except (subprocess.SubprocessError, OSError):
            return None
        return list(_lines(done.stdout.decode("utf-8", "replace")))


@lru_cache(maxsize=4)
def installed_languages(program: str) -> tuple[str, ...]:
    """The languages of ours that `program` has, by its own names."""
    try:
        done = subprocess.run(  # noqa: S603  # as above
            [program, "--list-langs"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return ()
    present = done.stdout.decode("utf-8", "replace").split()
    return tuple(language for language in _LANGUAGES if language in present)


def _kept(lines: list[OcrLine] | None) -> list[OcrLine] | None:
    return lines and [line for line in lines if line.confidence >= _MIN_CONFIDENCE]


def _weight(lines: list[OcrLine]) -> float:
    """How much a reading of a page is worth: its characters by their confidence, a Chinese one counting for two."""
    return sum((len(line.text) + len("".join(CJK_RUN.findall(line.text)))) * line.confidence for line in lines)


def _lines(table: str) -> Iterator[OcrLine]:
    """Words of a line joined; those of Chinese without a space between them."""
    words: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row.get("level") == "5" and (row.get("text") or "").strip():
            words.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    for line in words.values():
        confidence = sum(float(word["conf"]) for word in line) / len(line)
        text = _GAP_IN_CJK.sub("", " ".join(word["text"] for word in line))
        lefts, tops = [int(word["left"]) for word in line], [int(word["top"]) for word in line]
        rights = [int(word["left"]) + int(word["width"]) for word in line]
        bottoms = [int(word["top"]) + int(word["height"]) for word in line]
        yield OcrLine(text, min(lefts), min(tops), max(rights), max(bottoms), confidence)
