"""What is particular to the ONNX embedder and its export; the rest is in the contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.adapters.embedding import onnx_export
from rag.adapters.embedding.onnx import OnnxEmbedder
from rag.adapters.weights.files import ensure
from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR


@pytest.fixture(scope="module")
def folder(models_dir: Path) -> Path:
    return ensure("english", models_dir)


def test_building_one_needs_no_files(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(tmp_path / "all-MiniLM-L6-v2", threads=1)

    assert (embedder.dimension, embedder.max_tokens) == (384, 254)
    assert embedder.model_id == "all-MiniLM-L6-v2/int8/1"


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json"):
        OnnxEmbedder(tmp_path, threads=1).load()


def test_a_failed_export_names_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export.sys, "executable", "/bin/false")

    with pytest.raises(ConfigurationError, match="exit code 1"):
        onnx_export.export(tmp_path)


def test_another_recipe_is_exported_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def run_child(model_dir: Path, precise: Sequence[int]) -> None:
        made.append(model_dir)
        onnx_export.exported_path(model_dir).write_bytes(b"model")
        stamp = onnx_export.exported_path(model_dir).with_suffix(".json")
        stamp.write_text(json.dumps({"recipe": onnx_export.recipe(precise)}), encoding="utf-8")

    monkeypatch.setattr(onnx_export, "_run_child", run_child)
    onnx_export.export(tmp_path)
    onnx_export.export(tmp_path)
    assert len(made) == 1

    monkeypatch.setitem(onnx_export.RECIPE, "recipe", 2)
    onnx_export.export(tmp_path)
    assert len(made) == 2

    onnx_export.export(tmp_path, precise=(4, 5))
    onnx_export.export(tmp_path, precise=(4, 5))
    assert len(made) == 3
    assert not onnx_export.is_exported(tmp_path)


@pytest.mark.model
def test_the_process_never_imports_torch(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.adapters.embedding.onnx import OnnxEmbedder;"
        "OnnxEmbedder(Path(sys.argv[1]), threads=2).embed_queries(['hello']);"
        "print(sorted({'torch', 'transformers', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(folder)], cwd=PROJECT_DIR, capture_output=True, text=True
    )

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.model
def test_vectors_agree_with_full_precision(folder: Path) -> None:
    from rag.adapters.embedding.sentence_transformer import SentenceTransformerEmbedder

    texts = [
        "Photosynthesis turns light into chemical energy.",
        "The contract ends on 31 March 2024 unless it is renewed in writing.",
        "A compiler translates source code. " * 20,
    ]
    quantised = OnnxEmbedder(folder, threads=2).embed_documents(texts)
    full = SentenceTransformerEmbedder(str(folder)).embed_documents(texts)

    assert (np.sum(quantised * full, axis=1) > 0.98).all()


@pytest.mark.model
def test_an_idle_embedder_burns_no_processor(folder: Path) -> None:
    OnnxEmbedder(folder, threads=2).embed_documents(["one", "two", "three"])
    before = time.process_time()
    time.sleep(0.3)

    assert time.process_time() - before < 0.1


@pytest.mark.model
def test_a_damaged_export_is_a_clear_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    onnx_export.exported_path(tmp_path).parent.mkdir()
    onnx_export.exported_path(tmp_path).write_bytes(b"not a model")
    stamp = onnx_export.exported_path(tmp_path).with_suffix(".json")
    stamp.write_text(json.dumps({"recipe": onnx_export.RECIPE}), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="delete"):
        OnnxEmbedder(tmp_path, threads=1).load()


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities for threads")
def test_documents_yield_and_the_caller_keeps_its_priority(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lowered: list[int] = []
    own = os.getpriority(os.PRIO_PROCESS, 0)
    real = os.setpriority
    monkeypatch.setattr(os, "setpriority", lambda *a: (lowered.append(a[2]), real(*a)))
    embedder = OnnxEmbedder(folder, threads=2)

    embedder.embed_queries(["one", "two"])
    assert lowered == []
    embedder.embed_documents(["one"])
    assert lowered == [19]
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
