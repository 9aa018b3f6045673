"""Front matter of Markdown stands in the text, in the metadata, and filters know it."""

from __future__ import annotations

import pytest

from catalog.documents import _meets
from catalog.publication import Indexed
from rag.types import Chunk, DocumentStatus
from tests.catalog.conftest import Catalog
from tests.ingest.conftest import Write
from tests.ingest.readers.builders import read

YAML = """---
title: "The crane: a manual"
author: Ann Ode
summary: The valve class is QX-77.
tags: [harbour, crane]
places:
  - Graz
  - 'Linz'
about: >
  A text over
  two lines.
contact:
  room: 14-C
作者: 李四
date: 2031-02-03  # of the print
empty:
---
# Body

Text here.
"""


def test_yaml(write: Write) -> None:
    document = read(write("a.md", YAML.encode()))
    assert "summary: The valve class is QX-77." in document.text
    assert document.text.endswith("# Body\n\nText here.")
    assert "---" not in document.text
    assert [(each.title, document.text[each.start :][:6]) for each in document.headings] == [("Body", "# Body")]
    assert document.metadata == {
        "title": "The crane: a manual", "author": "Ann Ode", "summary": "The valve class is QX-77.", "tags": "harbour, crane",
        "places": "Graz, Linz", "about": "A text over two lines.", "contact.room": "14-C", "作者": "李四", "date": "2031-02-03",
    }  # fmt: skip


def test_toml(write: Write) -> None:
    source = '+++\ntitle = "T"\ntags = [\n  "harbour",\n  "crane",\n]\n[extra]\nclass = "QX-77"\n+++\nText here.'
    document = read(write("a.md", source.encode()))
    assert document.metadata == {"title": "T", "tags": "harbour, crane", "extra.class": "QX-77"}
    assert document.text.startswith('title = "T"')
    assert document.text.endswith("\n\nText here.")


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark(write: Write, line_end: str) -> None:
    source = "\ufeff---\nclass: QX-77\n---\nText.".replace("\n", line_end)
    assert read(write("a.md", source.encode())).metadata == {"class": "QX-77"}


@pytest.mark.parametrize(
    "source", ["---\n\nA line.\n\n---\n\nText.", "---\nNo key here, just prose.\n---\nText.", "Text.\n\n---\na: b\n---"]
)
def test_lines_that_are_no_front_matter(write: Write, source: str) -> None:
    document = read(write("a.md", source.encode()))
    assert document.text == source
    assert not document.metadata


def test_only_front_matter(write: Write) -> None:
    document = read(write("a.md", b"---\nclass: QX-77\n---\n"))
    assert (document.text, document.metadata) == ("class: QX-77", {"class": "QX-77"})


def test_filters_meet_each_of_several_values() -> None:
    assert _meets("harbour, crane", ["crane"])
    assert _meets(["a", "b"], ["b"])
    assert _meets("2031", [2031])
    assert not _meets("harbour, crane", ["cran"])
    assert not _meets(None, ["x"])
    assert not _meets("True", [True])


def test_filters_find_a_document_by_its_front_matter(write: Write, catalog: Catalog) -> None:
    source = "---\nclass: QX-77\ntags: [harbour, crane]\nyear: 1998\nsynced_from: elsewhere\n---\nText."
    (outcome,) = catalog.register(("a.md", "bytes"), metadata={"year": 2031})
    own = outcome.document_id
    catalog.ingestion.claim(limit=9, max_bytes=1 << 30)
    catalog.ingestion.advance([own], DocumentStatus.CHUNKING)
    catalog.ingestion.expect({own: 1})
    document = read(write("a.md", source.encode()))
    catalog.ingestion.go_live(1, [Indexed(own, document, [Chunk(0, 0, len(document.text), document.text)])])

    assert catalog.documents.document(own).metadata == {"class": "QX-77", "tags": "harbour, crane", "year": 2031}
    for filters, found in (
        ({"class": "QX-77"}, [own]),
        ({"tags": "crane"}, [own]),
        ({"tags": "cran"}, []),
        ({"year": 1998}, []),
    ):
        assert catalog.documents.filtered_documents(1, filters) == found
