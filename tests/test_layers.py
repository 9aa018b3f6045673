"""The arrows of the house: who may import whom, and the one door of each third-party library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = ("rag", "ingest", "vectorstore", "catalog", "web", "evaluation", "bench", "cli")
TOP = ("app", "wiring", "startup", "setup_models")
OURS = {*FOLDERS, *TOP}
# `python -m ingest` and `python -m bench` are programs by their files' names, and stand on the floor of the programs.
PROGRAMS = {"setup_models.py", "ingest/__main__.py", "bench/__main__.py"}

# The floors, the lowest first. A room imports its own files and rooms of lower floors: the longest name that a file's
# path begins with is its room. Rooms of one floor do not know each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("rag/errors.py", "rag/streams.py", "rag/vectors.py", "rag/version.py"),
    ("rag/types.py",),
    ("rag/settings.py", "rag/text", "startup.py"),
    ("rag/ports.py", "rag/chunking_config.py"),
    ("rag/abandonment.py",),
    ("rag/query", "rag/retrieval", "rag/verification"),
    ("rag/evidence",),
    ("rag/answering",),
    ("rag/adapters/weights",),
    ("rag/adapters/embedding", "rag/adapters/chat"),
    ("rag/adapters",),
    ("catalog", "vectorstore"),
    ("ingest/naming.py", "ingest/readers/warnings.py", "ingest/readers/archive_limits.py"),
    ("ingest/readers/text", "ingest/readers/ocr"),
    ("ingest/readers/package.py", "ingest/readers/pdf"),
    ("ingest/readers/markup",),
    ("ingest/readers/office",),
    ("ingest/readers",),
    ("ingest/readers/sandbox",),
    ("ingest/storage",),
    ("ingest/sources",),
    ("ingest/pipeline",),
    ("wiring.py",),
    ("evaluation", "web", "bench"),
    ("app.py",),
    ("cli",),
    ("programs",),
)

DOORS = {
    "chromadb": ("vectorstore/chroma.py", "bench/baseline.py"),
    "sqlalchemy": ("catalog/",),
    "alembic": ("catalog/",),
    "flask": ("web/", "app.py"),
    "flask_openapi": ("web/", "app.py"),
    "flask_cors": ("app.py",),
    "flask_uploads": ("web/api/uploads.py",),
    "werkzeug": ("web/",),
    "gunicorn": ("web/server.py",),
    "click": ("cli/",),
    "pydantic": ("web/", "rag/adapters/chat/langchain_chat.py"),
    "prometheus_client": ("web/health.py",),
    "pypdf": ("ingest/readers/pdf/reader.py", "bench/pdfs.py"),
    "pypdfium2": ("ingest/readers/", "bench/highlights.py"),
    "PIL": ("ingest/readers/pdf/picture.py", "ingest/readers/photograph.py"),
    "rapidocr": ("ingest/readers/ocr/rapid.py",),
    "markupsafe": ("web/",),
    "lxml": ("ingest/readers/",),
    "markdown_it": (
        "ingest/readers/markup/markdown.py",
        "web/rendering/markdown.py",
        "web/rendering/markdown_parser.py",
    ),
    "charset_normalizer": ("ingest/readers/text/charset.py",),
    "langchain_core": ("rag/adapters/chat/langchain_chat.py",),
    "langchain_text_splitters": ("bench/baseline.py",),
    "langchain_openai": ("rag/adapters/chat/langchain_chat.py",),
    "openai": ("rag/adapters/chat/langchain_chat.py",),
    "onnxruntime": ("rag/adapters/embedding/onnx.py", "rag/adapters/embedding/onnx_export.py"),
    "threadpoolctl": ("rag/adapters/embedding/onnx.py",),
    "tokenizers": ("rag/adapters/embedding/onnx.py", "rag/adapters/embedding/packed_e5.py"),
    "torch": ("rag/adapters/",),
    "transformers": ("rag/adapters/embedding/onnx_export.py", "bench/baseline.py"),
    "sentence_transformers": (
        "rag/adapters/embedding/sentence_transformer.py",
        "rag/adapters/cross_encoder.py",
        "rag/adapters/reranker.py",
        "rag/adapters/entailment_nli.py",
        "bench/baseline.py",
    ),
    "openvino": (
        "rag/adapters/chat/openvino_llm.py",
        "rag/adapters/chat/openvino_export.py",
        "rag/adapters/chat/openvino_zero_points.py",
    ),
    "gguf": ("rag/adapters/chat/openvino_zero_points.py",),
    "openvino_genai": ("rag/adapters/chat/openvino_llm.py", "rag/adapters/chat/openvino_export.py"),
    "xllamacpp": ("rag/adapters/chat/local_llm_process.py",),
    "Stemmer": ("rag/text/language.py",),
    "httpx": ("rag/adapters/", "evaluation/rest.py", "cli/remote_backend.py", "bench/server.py"),
    "rich": ("rag/adapters/weights/progress.py", "cli/ingest.py"),
    "filelock": ("rag/adapters/",),
    "numpy": (
        "rag/vectors.py",
        "rag/retrieval/late_interaction.py",
        "ingest/pipeline/embedding.py",
        "ingest/readers/ocr/rapid.py",
        "rag/verification/",
        "rag/evidence/",
        "rag/adapters/",
        "evaluation/",
        "vectorstore/chroma.py",
        "vectorstore/hnsw_files.py",
    ),
    "matplotlib": ("evaluation/plots.py",),
}


def modules() -> list[str]:
    found = [f"{name}.py" for name in TOP]
    for folder in FOLDERS:
        found += sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / folder).rglob("*.py"))
    return found


def imports(module: str, *, for_types: bool = True) -> Iterator[str]:
    """Full names of what a module imports, inside functions too."""
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if not for_types:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                skipped.update(child for part in node.body for child in ast.walk(part))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide the arrows"
            assert node.module is not None
            for alias in node.names:
                is_module = (PROJECT / node.module.replace(".", "/") / f"{alias.name}.py").is_file()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def top_names(module: str, *, for_types: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(module, for_types=for_types)}


def room_of(path: str) -> str:
    """The room of a file: the longest name on the floors that its path begins with."""
    if path in PROGRAMS:
        return "programs"
    rooms = [room for floor in FLOORS for room in floor if path == room or path.startswith(f"{room}/")]
    assert rooms, f"{path} stands in no room: give it one in FLOORS"
    return max(rooms, key=len)


def file_of(name: str) -> str:
    """The file that a dotted name is in: `rag.types.Passage` is in rag/types.py."""
    parts = name.split(".")
    while parts:
        for path in ("/".join(parts) + ".py", "/".join(parts) + "/__init__.py"):
            if (PROJECT / path).is_file():
                return path
        parts.pop()
    raise AssertionError(f"{name} is no module of ours")


@pytest.mark.parametrize("module", [module for module in modules() if not module.endswith("__init__.py")])
def test_arrows_point_down(module: str) -> None:
    height = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    own = room_of(module)
    for name in imports(module):
        if name.split(".")[0] in OURS and not file_of(name).endswith("__init__.py"):
            other = room_of(file_of(name))
            assert other == own or height[other] < height[own], f"{module} ({own}) must not import {name} ({other})"


@pytest.mark.parametrize("module", [module for module in modules() if module.endswith("__init__.py")])
def test_each_room_says_what_it_owns_and_may_not_import(module: str) -> None:
    tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
    said = ast.get_docstring(tree) or ""
    assert "import" in said.lower(), f"{module}: say in three sentences what the room owns and what it may not import"
    assert len(said.splitlines()) <= 7
    assert len(tree.body) == 1, f"{module} holds code: nothing happens when a room is imported"


def test_no_circle() -> None:
    graph = {module: {file_of(n) for n in imports(module) if n.split(".")[0] in OURS} for module in modules()}
    TopologicalSorter(graph).prepare()  # raises CycleError with the circle


@pytest.mark.parametrize("module", modules())
def test_each_library_has_one_door(module: str) -> None:
    for name in top_names(module) - OURS - set(sys.stdlib_module_names):
        assert name in DOORS, f"{module} imports {name}: give it a door in this test, or do without it"
        assert module.startswith(DOORS[name]), f"{module} imports {name}, whose door is {DOORS[name]}"


@pytest.mark.parametrize("module", ["rag/errors.py", "rag/types.py", "rag/settings.py"])
def test_the_core_is_standard_library_only(module: str) -> None:
    ours = {"rag.errors", "rag.types"}
    inside = {name for name in imports(module, for_types=False) if name.startswith("rag.")}
    assert inside <= ours
    assert top_names(module, for_types=False) - {"rag"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", [module for module in modules() if module.startswith("rag/query/")])
def test_queries_need_no_library(module: str) -> None:
    assert not top_names(module) - {"rag"} - set(sys.stdlib_module_names)


def test_the_environment_is_read_in_the_settings_only() -> None:
    readers = [
        module
        for module in modules()
        if "os.environ" in (PROJECT / module).read_text(encoding="utf-8") and not module.startswith("rag/adapters/")
    ]
    # chroma.py switches telemetry off, the readers' pool hands a child a clean environment
    assert set(readers) <= {"rag/settings.py", "vectorstore/chroma.py", "ingest/readers/sandbox/pool.py"}


def test_nothing_heavy_is_imported_at_the_top() -> None:
    heavy = {
        "matplotlib",
        "torch",
        "transformers",
        "sentence_transformers",
        "chromadb",
        "langchain_openai",
        "openai",
        "onnxruntime",
        "rapidocr",
        "openvino",
        "openvino_genai",
    }
    for module in modules():
        tree = ast.parse((PROJECT / module).read_text(encoding="utf-8"))
        at_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {
            name.split(".")[0]
            for node in at_top
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        }
        assert not names & heavy, f"{module} imports {names & heavy} when it is imported"
