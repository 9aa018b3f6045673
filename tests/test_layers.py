"""The arrows of the house: who may import whom, and the one door of each third-party library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = ("rag", "ingest", "vectorstore", "catalog", "web")
TOP = ("app", "wiring", "startup", "setup_models")
OURS = {*ROOMS, *TOP}

# The core of rag: values, errors, settings. Then the pure middle, then the use-cases.
CORE = ("rag/types.py", "rag/errors.py", "rag/settings.py")
PURE_ROOMS = ("evidence", "query", "retrieval", "verification")
PURE = ("rag/language.py", "rag/ports.py", "rag/recipe.py")
PURE += tuple(
    path.relative_to(PROJECT).as_posix()
    for room in (*PURE_ROOMS, "answering")
    for path in sorted((PROJECT / "rag" / room).rglob("*.py"))
    if path.name not in ("retriever.py", "answerer.py")
)

# Rooms of rag, and what of rag they may import besides themselves.
QUERY_MAY_IMPORT = {"rag.errors", "rag.types", "rag.ports", "rag.language"}
ANSWER_LANGUAGE_MAY_IMPORT = {"rag.language", "rag.answering.citations"}

FORBIDDEN = {
    "rag": {"ingest", "vectorstore", "catalog", "web", *TOP},
    "vectorstore": {"ingest", "catalog", "web", *TOP},
    "catalog": {"ingest", "web", *TOP},
    "ingest": {"web", "app", "startup", "setup_models"},
    "web": {"ingest", "app", "startup", "setup_models"},
    "wiring.py": {"web", "app"},
    "startup.py": {"ingest", "vectorstore", "catalog", "web", "app", "wiring"},
}
# Only the command lines may know the wiring; the rest of ingest and rag takes what it needs by constructor.
WIRING_ALLOWED = ("ingest/opening.py", "ingest/targets.py", "rag/evaluation/opening.py")

DOORS = {
    "chromadb": ("vectorstore/chroma.py",),
    "sqlalchemy": ("catalog/",),
    "alembic": ("catalog/",),
    "flask": ("web/", "app.py"),
    "flask_openapi": ("web/", "app.py"),
    "flask_cors": ("app.py",),
    "flask_uploads": ("web/api/uploads.py",),
    "werkzeug": ("web/",),
    "gunicorn": ("web/server.py",),
    "pydantic": ("web/", "rag/adapters/chat.py"),
    "prometheus_client": ("web/operations.py",),
    "pypdf": ("ingest/readers/pdf.py",),
    "pypdfium2": ("ingest/readers/",),
    "PIL": ("ingest/readers/pdf_picture.py",),
    "markupsafe": ("web/",),
    "lxml": ("ingest/readers/",),
    "markdown_it": ("ingest/readers/markdown.py", "web/markdown.py", "web/markdown_parser.py"),
    "charset_normalizer": ("ingest/readers/charset.py",),
    "langchain_core": ("rag/adapters/chat.py",),
    "langchain_openai": ("rag/adapters/chat.py",),
    "openai": ("rag/adapters/chat.py",),
    "onnxruntime": ("rag/adapters/onnx_embedder.py", "rag/adapters/onnx_export.py"),
    "threadpoolctl": ("rag/adapters/onnx_embedder.py",),
    "tokenizers": ("rag/adapters/onnx_embedder.py", "rag/adapters/packed_e5.py"),
    "torch": ("rag/adapters/",),
    "transformers": ("rag/adapters/onnx_export.py",),
    "sentence_transformers": (
        "rag/adapters/sentence_transformers_embedder.py",
        "rag/adapters/reranker.py",
        "rag/adapters/entailment_nli.py",
    ),
    "openvino": (
        "rag/adapters/openvino_llm.py",
        "rag/adapters/openvino_export.py",
        "rag/adapters/openvino_zero_points.py",
    ),
    "gguf": ("rag/adapters/openvino_zero_points.py",),
    "openvino_genai": ("rag/adapters/openvino_llm.py", "rag/adapters/openvino_export.py"),
    "xllamacpp": ("rag/adapters/local_llm_process.py",),
    "Stemmer": ("rag/language.py",),
    "httpx": ("rag/adapters/", "rag/evaluation/rest.py", "ingest/targets.py"),
    "rich": ("rag/adapters/progress.py", "ingest/cli.py"),
    "filelock": ("rag/adapters/",),
    "numpy": (
        "rag/ports.py",
        "rag/retrieval/late_interaction.py",
        "ingest/embedding.py",
        "rag/verification/",
        "rag/evidence/",
        "rag/adapters/",
        "rag/evaluation/",
        "vectorstore/chroma.py",
        "vectorstore/hnsw_files.py",
    ),
    "matplotlib": ("rag/evaluation/plots.py",),
}


def modules() -> list[str]:
    found = [f"{name}.py" for name in TOP]
    for room in ROOMS:
        found += sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / room).rglob("*.py"))
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
            yield node.module


def top_names(module: str, *, for_types: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(module, for_types=for_types)}


@pytest.mark.parametrize("module", modules())
def test_arrows_point_down(module: str) -> None:
    room = module.split("/")[0]
    wrong = top_names(module) & FORBIDDEN.get(room, set())
    if module in WIRING_ALLOWED:
        wrong -= {"wiring"}
    assert not wrong, f"{module} must not import {wrong}"
    if room == "ingest" and module not in WIRING_ALLOWED:
        assert "wiring" not in top_names(module), f"{module} takes what it needs by constructor"


@pytest.mark.parametrize("module", modules())
def test_each_library_has_one_door(module: str) -> None:
    for name in top_names(module) - OURS - set(sys.stdlib_module_names):
        assert name in DOORS, f"{module} imports {name}: give it a door in this test, or do without it"
        assert module.startswith(DOORS[name]), f"{module} imports {name}, whose door is {DOORS[name]}"


@pytest.mark.parametrize("module", CORE)
def test_the_core_is_standard_library_only(module: str) -> None:
    inside = {name for name in imports(module, for_types=False) if name.startswith("rag.")}
    assert inside <= {"rag.errors", "rag.types"}
    assert top_names(module, for_types=False) - {"rag"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", PURE)
def test_the_middle_knows_no_adapter_and_no_use_case(module: str) -> None:
    for name in imports(module):
        assert not name.startswith(("rag.adapters", "rag.answerer", "rag.retrieval.retriever", "rag.settings"))


@pytest.mark.parametrize("module", [module for module in modules() if module.startswith("rag/query/")])
def test_queries_know_neither_retrieval_nor_answers(module: str) -> None:
    inside = {name for name in imports(module) if name == "rag" or name.startswith("rag.")}
    assert not {name for name in inside if not name.startswith("rag.query")} - QUERY_MAY_IMPORT
    assert not top_names(module) - {"rag"} - set(sys.stdlib_module_names)


def test_the_language_of_an_answer_knows_no_model() -> None:
    inside = {name for name in imports("rag/answering/answer_language.py") if name.startswith("rag")}
    assert inside <= ANSWER_LANGUAGE_MAY_IMPORT


def test_the_environment_is_read_in_the_settings_only() -> None:
    readers = [
        module
        for module in modules()
        if "os.environ" in (PROJECT / module).read_text(encoding="utf-8") and not module.startswith("rag/adapters/")
    ]
    # chroma.py switches telemetry off, the readers' pool hands a child a clean environment
    assert set(readers) <= {"rag/settings.py", "vectorstore/chroma.py", "ingest/readers/pool.py"}


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
