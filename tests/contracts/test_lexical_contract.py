"""What every keyword index must do: the fake in memory, and FTS5 in the real catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.collections import CollectionCatalog
from catalog.engine import Database
from catalog.full_text import Fts5Index
from catalog.ingestion import IngestionCatalog
from catalog.publication import Indexed
from catalog.registration import NewFile
from rag.ports import LexicalIndex
from rag.types import Chunk, DocumentStatus, ParsedDocument
from tests.fakes import Bm25Index

Fill = Callable[[str, Sequence[str]], int]

TEXTS = (
    "The pumps were running at 40 bar in hall four.",
    "Apple trees blossom in April; the pump stands still.",
    "水泵的工作压力是四十巴。",
    "果园里的苹果树四月开花。",
    "Dr. O'Brien's café sells crème brûlée, naïve readers say.",
    "Nordwind Nordwind Nordwind",
)


@pytest.fixture(params=["fake", "fts5"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[LexicalIndex, Fill]]:
    """The index, and what fills a collection with texts: document `d0` holds the first as chunk `d0-0`, and so on."""
    if request.param == "fake":
        fake = Bm25Index()
        numbers: dict[str, int] = {}

        def fill_fake(name: str, texts: Sequence[str]) -> int:
            number = numbers.setdefault(name, len(numbers) + 1)
            fake.add(number, [(f"{name}{n}-0", f"{name}{n}", text) for n, text in enumerate(texts)])
            return number

        yield fake, fill_fake
        return
    database = Database(tmp_path / "catalog.sqlite3")
    index = Fts5Index(database.read)
    ingestion = IngestionCatalog(database, index)
    collections = CollectionCatalog(database, embedding_model="m")

    def fill(name: str, texts: Sequence[str]) -> int:
        number = collections.ensure(name).id
        files = [NewFile(f"{name}{n}", f"{n}.txt", "text/plain", 1, f"{name}{n}") for n in range(len(texts))]
        ingestion.register(f"job-{name}", number, files)
        ingestion.claim(limit=100, max_bytes=1 << 20)
        ingestion.advance([file.id for file in files], DocumentStatus.EMBEDDING)
        parts = [Indexed(f.id, ParsedDocument(t), [Chunk(0, 0, len(t), t)]) for f, t in zip(files, texts, strict=True)]
        ingestion.go_live(number, parts)
        return number

    yield index, fill
    database.close()


def ids(index: LexicalIndex, collection: int, query: str, limit: int = 10) -> list[str]:
    return [hit.chunk_id for hit in index.query(collection, query, limit=limit)]


def test_the_best_come_first_with_positive_scores(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    number = fill("d", TEXTS)

    hits = index.query(number, "At how many bar does the pump run in hall four?", limit=10)

    assert [hit.chunk_id for hit in hits] == ["d0-0", "d1-0"]
    assert hits[0].score > hits[1].score > 0
    assert len(index.query(number, "pump", limit=1)) == 1


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("水泵", "d2-0"),
        ("苹果树什么时候开花？", "d3-0"),
        ("RUNNING", "d0-0"),
        ("runs", "d0-0"),
        ("café", "d4-0"),
        ("OBrien", "d4-0"),
        ("O’Brien", "d4-0"),
        ("naïve", "d4-0"),
        ("ｐｕｍｐｓ　ｈａｌｌ", "d0-0"),
    ],
)
def test_words_are_found_in_their_forms(made: tuple[LexicalIndex, Fill], query: str, first: str) -> None:
    index, fill = made

    assert ids(index, fill("d", TEXTS), query)[:1] == [first]


@pytest.mark.parametrize("query", ["", "?!", "zebra", "斑马", '"', "NOT", "* OR *", "((", "the"])
def test_what_is_not_there_is_not_found(made: tuple[LexicalIndex, Fill], query: str) -> None:
    index, fill = made

    assert ids(index, fill("d", TEXTS), query) == []


def test_documents_restrict_the_search(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    number = fill("d", TEXTS)

    def found(documents: list[str]) -> list[str]:
        return [hit.chunk_id for hit in index.query(number, "pump", limit=9, documents=documents)]

    assert found(["d1"]) == ["d1-0"]
    assert found([]) == found(["unknown"]) == []
    assert set(found([f"d{n}" for n in range(40_000)])) == {"d0-0", "d1-0"}


def test_collections_are_apart(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    first, second = fill("d", TEXTS), fill("e", ["A pump is a pump."])

    assert ids(index, second, "pump") == ["e0-0"]
    assert ids(index, second, "apple") == []
    assert "e0-0" not in ids(index, first, "pump")
    assert index.idf(second, ["pump"])["pump"] < index.idf(first, ["pump"])["pump"]


def test_rarity_falls_with_frequency(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    number = fill("d", TEXTS)

    idf = index.idf(number, ["pump", "nordwind", "水泵", "café", "zebra"])

    assert 0 <= idf["pump"] < idf["nordwind"] < idf["zebra"]
    assert idf["nordwind"] == pytest.approx(idf["水泵"])
    assert idf["nordwind"] == pytest.approx(idf["café"])
    assert index.idf(number, []) == {}


def test_an_unknown_collection_is_empty(made: tuple[LexicalIndex, Fill]) -> None:
    index, _ = made

    assert ids(index, 99, "pump") == []
    assert index.idf(99, ["pump"]) == {"pump": 0.0}


def test_a_page_pasted_as_a_query_is_cut(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    words = " ".join(f"word{n}" for n in range(2_000))

    assert ids(index, fill("d", TEXTS), "pump " + words)[0] in ("d0-0", "d1-0")


def test_threads_may_search_at_once(made: tuple[LexicalIndex, Fill]) -> None:
    index, fill = made
    number = fill("d", TEXTS)
    expected = ids(index, number, "pump hall")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: ids(index, number, "pump hall"), range(40))) == [expected] * 40
