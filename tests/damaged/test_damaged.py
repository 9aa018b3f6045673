"""More than 300 damaged and hostile files through the whole pipeline: each ends with its text or with its own reason."""

from __future__ import annotations

import io
import sysconfig
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.readers.registry import FILE_TYPES
from ingest.readers.sandbox.pool import ReaderPool
from ingest.storage.unpacking import StagedFile
from rag.errors import DocentError
from rag.settings import Settings
from rag.types import Document, DocumentStatus
from tests.damaged.generator import Case, cases
from tests.fakes import HashEmbedder
from wiring import Services, build_services

pytestmark = pytest.mark.slow
CASES = cases()
SENSIBLE = frozenset(
    "unreadable no_text unsupported_type empty encrypted archive_bomb xml_entities too_large reader_timeout reader_memory".split()
)
# Installed packages ship these for their own tests and documentation.
SHIPPED = (".pdf", ".html", ".csv", ".rst", ".md", ".ipynb", ".json", ".tex", ".xsl", ".sql")
MOST_OF_A_KIND = 12


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("damaged")
    settings = Settings(data_dir=folder, llm="extractive", samples=False, reader_timeout_s=30, reader_memory_mb=1024)
    built = build_services(settings, embedder=HashEmbedder(), with_chat=False)
    built.startup.begin()
    built.startup.require(patience=60)
    yield built
    built.close()


@pytest.fixture(scope="module")
def outcomes(services: Services) -> dict[str, Document]:
    """What became of each case, by its name. Files of the same bytes, which would be one document, go to several collections."""
    shelves: defaultdict[str, list[StagedFile]] = defaultdict(list)
    seen: Counter[bytes] = Counter()
    for case in CASES:
        name = f"shelf-{seen[case.data]}" if seen[case.data] else "default"
        shelves[name].append(services.library.stage(io.BytesIO(case.data), case.name))
        seen[case.data] += 1
    for name, staged in shelves.items():
        services.library.add(services.collections.ensure(name), staged)
    deadline = time.monotonic() + 240
    while services.pipeline.pending() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert services.pipeline.running
    assert services.pipeline.pending() == 0
    found = [services.documents.document(item.id) for item in services.documents.find(limit=500).items]
    return {item.filename: item for item in found}


def test_there_are_enough_of_all_formats() -> None:
    assert len(CASES) >= 150
    extensions = {Path(case.name).suffix.lower() for case in CASES}
    assert all(extensions & set(file_type.extensions) for file_type in FILE_TYPES)


def test_they_are_always_the_same() -> None:
    again = cases()
    stable = [case for case in CASES if case.name not in ("locked.pdf", "owner-only.pdf")]  # their keys are drawn anew
    assert [case.name for case in again] == [case.name for case in CASES]
    assert {case.name for case in stable if case.data not in {other.data for other in again}} <= _zipped(stable)


def _zipped(found: list[Case]) -> set[str]:
    """Archives hold the time of their making."""
    return {
        case.name
        for case in found
        if Path(case.name).suffix in (".docx", ".pptx", ".xlsx", ".odt", ".ods", ".odp", ".epub")
    }


def test_none_is_lost(outcomes: dict[str, Document]) -> None:
    assert set(outcomes) == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_ends_with_its_text_or_its_reason(services: Services, outcomes: dict[str, Document], case: Case) -> None:
    found = outcomes[case.name]
    if found.status is DocumentStatus.INDEXED:
        text = services.documents.text(found.id)
        assert found.chunks > 0
        assert text.strip()
        assert case.words in text
        assert "" in case.expected
    else:
        assert found.status is DocumentStatus.FAILED
        assert found.error_code in case.expected
        assert found.error_message
        assert len(found.error_message) > 15


def test_neighbours_are_found(services: Services, outcomes: dict[str, Document]) -> None:
    assert outcomes
    hits = services.retriever.search("Some text on a page", collections=["default"], top_k=3).passages
    assert hits


def test_files_that_packages_ship() -> None:
    folder = Path(sysconfig.get_paths()["purelib"])
    found: dict[str, list[Path]] = {extension: [] for extension in SHIPPED}
    for path in sorted(folder.rglob("*")):
        kept = found.get(path.suffix.lower())
        if kept is not None and len(kept) < MOST_OF_A_KIND and path.is_file() and path.stat().st_size < 2 << 20:
            kept.append(path)
    pool = ReaderPool(timeout_s=60, memory_mb=1024)
    codes: dict[str, str] = {}
    try:
        for path in (path for paths in found.values() for path in paths):
            try:
                document = pool.read(path, path.name)
            except DocentError as error:
                codes[path.name] = error.code
            else:
                assert document.text.strip(), path
    finally:
        pool.close()
    assert set(codes.values()) <= SENSIBLE, codes
    assert sum(map(len, found.values())) > 30
