"""docs/formats.md and the registry say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.readers.registry import ARCHIVE_EXTENSIONS, FILE_TYPES, all_extensions, is_archive, media_type_of
from rag.errors import UnsupportedTypeError

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_type_has_its_row_and_no_other_has() -> None:
    rows = [
        f"| {each.name} | {' '.join(f'`{extension}`' for extension in each.extensions)} | {each.keeps} |"
        for each in FILE_TYPES
    ]
    table = TEXT.split("|---|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == rows


def test_no_extension_twice() -> None:
    extensions = all_extensions() + ARCHIVE_EXTENSIONS
    assert len(extensions) == len(set(extensions))
    assert all(extension == extension.lower() and extension.startswith(".") for extension in extensions)


def test_the_error_names_every_type_and_a_way_out() -> None:
    with pytest.raises(UnsupportedTypeError, match=r"save it as \.docx") as caught:
        media_type_of("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert all(each.name in caught.value.message for each in FILE_TYPES)
    assert caught.value.details["accepted"] == list(all_extensions())


def test_archives_are_told_apart() -> None:
    assert is_archive("a.ZIP", b"PK\x03\x04")
    assert not is_archive("a.zip", b"text")
    assert not is_archive("a.docx", b"PK\x03\x04")
