"""Which engine reads pages that are pictures. Owns that choice; must not load one."""

from __future__ import annotations

from functools import lru_cache

from ingest.readers.ocr.rapid import Rapid
from ingest.readers.ocr.recognition import Engine
from ingest.readers.ocr.tesseract import Tesseract


@lru_cache(maxsize=1)
def engine_of(choice: str) -> Engine | None:
    """The engine of a setting: "rapidocr", "tesseract", "auto" (the first of the two that is installed) or "off" (None).

    Kept, since loading one takes a second. Why RapidOCR goes first: docs/decisions/0006-ocr.md.
    """
    engines: dict[str, tuple[Engine, ...]] = {
        "rapidocr": (Rapid(),),
        "tesseract": (Tesseract(),),
        "auto": (Rapid(), Tesseract()),
    }
    wanted = engines.get(choice, ())
    return next((each for each in wanted if each.available), wanted[0] if wanted else None)
