"""The cross-encoder, on a tiny one with random weights that is made here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.adapters.reranker import CrossEncoderReranker
from rag.errors import ConfigurationError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "pump", "needs", "oil", "cat", "sat"]
TEXTS = ["the pump needs oil", "the cat sat", "oil", "", "the cat sat " * 40]


def make_model(folder: Path, labels: int) -> str:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(1)
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoderReranker:
    return CrossEncoderReranker(make_model(tmp_path_factory.mktemp("tiny-cross-encoder"), labels=1))


def test_scores_are_shares_in_the_order_given(reranker: CrossEncoderReranker) -> None:
    scores = reranker.rerank("which pump", TEXTS)

    assert len(scores) == len(TEXTS)
    assert all(isinstance(score, float) and 0.0 <= score <= 1.0 for score in scores)
    assert len(set(scores)) > 1
    assert reranker.rerank("which pump", TEXTS[::-1])[::-1] == pytest.approx(scores, abs=1e-4)
    assert reranker.rerank("which pump", []) == []


def test_threads_get_their_own_answers(reranker: CrossEncoderReranker) -> None:
    expected = [reranker.rerank(text, TEXTS) for text in TEXTS]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: reranker.rerank(text, TEXTS), TEXTS))

    for scores, wanted in zip(found, expected, strict=True):
        assert scores == pytest.approx(wanted, abs=1e-4)


def test_it_is_loaded_once_and_names_itself(reranker: CrossEncoderReranker) -> None:
    reranker.load()
    model = reranker._model
    reranker.load()

    assert reranker._model is model is not None
    assert reranker.model_id.startswith("tiny-cross-encoder")


def test_a_model_that_gives_no_single_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gives 3 scores"):
        CrossEncoderReranker(make_model(tmp_path, labels=3)).load()


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="DOCENT_RERANK_MODEL"):
        CrossEncoderReranker(str(tmp_path / "absent")).load()
