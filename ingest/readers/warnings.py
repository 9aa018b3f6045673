"""Every warning that a reader can give about a document, by its key, and how pages, sheets and names are listed in one.

The REST API gives the sentences as they stand here. The page words them in its reader's language, told by these templates
(web/warning_codes.py, web/i18n), so that a test can see that each has a text there. Must not hold what is no warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WHY_UNREAD = {
    "off": "to have them read, set DOCENT_OCR to auto, or run OCR on the file and upload the result",
    "install": "to have them read, install rapidocr, or tesseract-ocr (and tesseract-ocr-chi-sim for Chinese), as DOCENT_OCR says",
    "empty": "OCR found no text in them",
    "time": "the time for OCR was up; upload the file in parts",
}
"""Why pictures have not been read, and what to do."""


def _of(noun: str, before: str, place: str, after: str = "") -> tuple[str, str]:
    """A warning about one thing, and about several."""
    return f"{before}: {noun} {{{place}}}{after}.", f"{before}: {noun}s {{{place}}}{after}."


WARNINGS: Mapping[str, str | tuple[str, str]] = {
    "attachments": "Attachments were not read, upload them by themselves: {names}.",
    "breaks_off": "The file breaks off in the middle; what was there has been read.",
    "cells_lost": "{n} cells point to texts that the file does not hold.",
    "chapters": "Missing or damaged chapters: {names}.",
    "damaged": "The document is damaged: what could be read of it was read, the rest is missing.",
    "embedded": "Embedded files were not read, upload them by themselves: {n}.",
    "formulas": "{n} formulas have no stored value: open the file in a spreadsheet program, save it, upload it again.",
    "inclusions": "Files that the text refers to were not included: {names}.",
    "insertions": "Inserted documents that cannot be read: {n}.",
    "lines_not_json": "{bad} of {n} lines are no valid JSON; they were read as plain text.",
    "long_values": "{n} values without any space, longer than {limit} characters, were left out.",
    "named_otherwise": "The file is named {extension} but is a {type}; it was read as that.",
    "named_without": "The file is named without extension but is a {type}; it was read as that.",
    "nested": "The page is nested too deeply; its text was read without its headings and tables.",
    "not_email": "The file has no header of an e-mail; it was read as plain text.",
    "not_json": "The file is no valid JSON ({reason}); it was read as plain text.",
    "output_cut": "Outputs cut at {limit} characters: {n}.",
    "output_pictures": "Pictures in the output of cells were left out: {n}.",
    "pages_damaged": _of("page", "Damaged and left out", "numbers"),
    **{
        f"pages_unread_{why}": _of("page", "No text, only pictures", "numbers", f" ({text})")
        for why, text in WHY_UNREAD.items()
    },
    "pages_recognised": _of("page", "Pictures of text, read by OCR, so letters may be wrong", "numbers"),
    "parts_unread": "Parts that cannot be read: {n}.",
    "quotation_mark": "A quotation mark is never closed; the lines were read without regard to quotation marks.",
    "raw_blocks": "Raw blocks for other formats left out: {n}.",
    "rows_cut": "Over the limit of {limit} cells and left out: everything from row {row} on.",
    "sheet_cut": "Over the limit of {limit} cells and left out: sheet {name} from row {row}.",
    "sheets_cut": _of("sheet", "Over the limit of {limit} cells and left out", "names"),
    "sheets_damaged": _of("sheet", "Damaged, read in part or not at all", "names"),
    "sheets_hidden": _of("sheet", "Hidden, but read", "names"),
    "slides_cut": "Only the first {limit} of {n} slides were read.",
    "slides_damaged": _of("slide", "Damaged and left out", "numbers"),
    "slides_hidden": _of("slide", "Hidden, but read", "numbers"),
    "slides_pictures": _of("slide", "No text, only pictures", "numbers"),
    "xfa": "The PDF is a dynamic (XFA) form; only what it shows without Adobe software was read.",
}
"""Sentences with {places}; a pair is for one thing and for several."""

PHRASES = {"and_more": " and {more} more", "from_row": " (from row {row})"}
"""What may stand in a list of names beside the names."""


def sentence(key: str, *, n: int = 0, **places: object) -> str:
    """The warning of that key with its places filled; `n` is how many things it is about. An unknown key is an error of ours."""
    template = WARNINGS[key]
    if isinstance(template, tuple):
        template = template[0 if n == 1 else 1]
    return template.format(n=n, **places)


def numbered(indexes: Iterable[int]) -> dict[str, Any]:
    """The places of a warning about pages or slides: "2-4, 9" from 0-based indexes, and how many there are."""
    runs: list[list[int]] = []
    numbers = sorted({index + 1 for index in indexes})
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    spans = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return {"numbers": spans, "n": len(numbers)}


def named(names: Sequence[str], *, most: int = 10) -> str:
    """Names joined by commas, the first `most` of them, each cut at 80 characters."""
    shown = ", ".join(name if len(name) <= 80 else f"{name[:79]}…" for name in names[:most])
    return shown if len(names) <= most else shown + PHRASES["and_more"].format(more=len(names) - most)
