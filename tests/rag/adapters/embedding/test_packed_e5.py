"""The packed multilingual model: its format, on a tiny file written here, and the real one against golden figures.

The golden token ids and values were taken from the publisher's tokenizer as packed, and from the packer's own engine.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.adapters.embedding.embedders import E5_SMALL_Q4
from rag.adapters.embedding.onnx import OnnxEmbedder
from rag.adapters.embedding.packed_e5 import FILE_NAME, build_tokenizer, read_packed
from rag.adapters.weights.files import ensure
from rag.errors import ConfigurationError

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581red", "\u2581fi", "sh", "红", "<mask>"]
GOLDEN_IDS = {
    "query: how much protein per day": [0, 41, 1294, 12, 3642, 5045, 21308, 117, 5155, 2],
    "passage: The quick brown fox, 3.5 kg — naïve café!": [
        0,
        46692,
        12,
        581,
        63773,
        119455,
        6,
        147797,
        4,
        38704,
        5279,
        292,
        24,
        9392,
        272,
        26216,
        38,
        2,
    ],
    "passage: 黑豹队的防守只丢了 308分。": [
        0,
        46692,
        12,
        6,
        7320,
        162921,
        113777,
        143000,
        5344,
        87799,
        274,
        496,
        1019,
        1583,
        30,
        2,
    ],
    "query: Ｆｕｌｌｗｉｄｔｈ ① ㎏ ﬁ": [0, 41, 1294, 12, 9312, 146984, 106, 5279, 809, 2],
    "passage: tabs\tand\nnew lines  and   spaces": [0, 46692, 12, 20928, 7, 136, 3525, 124519, 136, 32628, 7, 2],
    "query: 合同何时到期？What is 公司 policy?": [
        0,
        41,
        1294,
        12,
        6,
        28308,
        4931,
        1898,
        789,
        4118,
        32,
        52231,
        83,
        109715,
        44930,
        32,
        2,
    ],
    "passage: emoji 😀 test": [0, 46692, 12, 28, 121505, 21119, 3034, 2],
    "passage: zero\u200bwidth soft\xadhyphen\xa0x": [0, 46692, 12, 45234, 6, 146984, 32977, 231, 3038, 88322, 1022, 2],
    "query: Привет мир": [0, 41, 1294, 12, 1813, 18454, 11373, 2],
    "passage: https://example.com/a?b=c": [
        0,
        46692,
        12,
        3975,
        696,
        3355,
        11,
        33209,
        5,
        277,
        64,
        11,
        32,
        275,
        1369,
        238,
        2,
    ],
    "query: 日本語のテキスト": [0, 41, 1294, 12, 6, 98449, 154, 193508, 2],
    "passage: -12,5 % of $3.7bn (2024-03-31)": [
        0,
        46692,
        12,
        68940,
        71928,
        1745,
        111,
        3650,
        109981,
        61320,
        28583,
        2357,
        37151,
        95787,
        2,
    ],
}


def packed_bytes() -> bytes:
    """A file of one layer-less encoder: two rows of 32 weights in Q4_0, and a norm in 32 bits."""
    text = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, text)]).astype("<u4")
    scores = np.array([0, 0, 0, 0, -3, -2, -2, -2, -4, 0], dtype="<f4")
    head = struct.pack("<4sI7ifi", b"E5S1", 1, 32, 0, 1, 64, 2, 1, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, offsets[-1]) + offsets.tobytes() + scores.tobytes()
    head += b"".join(text)
    replaced = (
        struct.pack("<IBI", 0x0A, 1, 0x20) + struct.pack("<IB", 0x01, 0) + struct.pack("<IB2I", 0xFB01, 2, 102, 105)
    )
    head += struct.pack("<iI", 3, len(replaced)) + replaced
    nibbles = bytes(low | 15 - low << 4 for low in range(16))
    tensors = [("emb.word", 1, 64, (np.float16(0.5).tobytes() + nibbles) * 2), ("emb.ln.b", 0, 32, bytes(128))]
    at = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, kind, size, data in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, size, at + len(body), len(data))
        body += data
    return head + directory + body


@pytest.fixture
def packed_file(tmp_path: Path) -> Path:
    path = tmp_path / FILE_NAME
    path.write_bytes(packed_bytes())
    return path


def test_tensors_are_decoded(packed_file: Path) -> None:
    packed = read_packed(packed_file)
    words = packed.state["embeddings.word_embeddings.weight"]

    assert (packed.config["hidden_size"], packed.config["vocab_size"]) == (32, 2)
    assert words.shape == (2, 32)
    # low nibbles are the block's first half, high ones its second, both less 8, times the scale
    np.testing.assert_array_equal(words[1], [*(np.arange(16) - 8) * 0.5, *(7 - np.arange(16)) * 0.5])
    assert packed.state["embeddings.LayerNorm.bias"].shape == (32,)


def test_the_tokenizer_is_rebuilt(packed_file: Path) -> None:
    tokenizer = build_tokenizer(read_packed(packed_file))

    assert tokenizer.encode("red  ﬁsh\x01").tokens == ["<s>", "\u2581red", "\u2581fi", "sh", "</s>"]
    assert tokenizer.encode("红\nred").tokens == ["<s>", "\u2581", "红", "\u2581red", "</s>"]
    assert tokenizer.encode("猫").ids[-2:] == [3, 2]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"nope" + data[4:], "not a packed E5 model"),
        (lambda data: data[:60], "is damaged"),
        (lambda data: data[:-40], "is damaged"),
    ],
)
def test_a_damaged_file_is_a_clear_error(packed_file: Path, damage: object, message: str) -> None:
    packed_file.write_bytes(damage(packed_bytes()))  # type: ignore[operator]

    with pytest.raises(ConfigurationError, match=message):
        read_packed(packed_file)


def test_an_absent_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Cannot read"):
        read_packed(tmp_path / FILE_NAME)


@pytest.fixture(scope="module")
def embedder(models_dir: Path) -> OnnxEmbedder:
    return OnnxEmbedder(ensure("multilingual-q4", models_dir), threads=2, model=E5_SMALL_Q4)


@pytest.mark.model
@pytest.mark.parametrize(("text", "ids"), GOLDEN_IDS.items())
def test_token_ids_are_those_of_the_publisher(embedder: OnnxEmbedder, text: str, ids: list[int]) -> None:
    assert embedder._get().tokenizer.encode(text).ids == ids


@pytest.mark.model
def test_vectors_agree_with_the_packer_s_engine(models_dir: Path) -> None:
    golden = [0.0141, -0.0242, -0.0435, -0.0555, 0.1102, -0.0394, 0.0089, 0.0506, 0.0999, -0.0231, 0.0109, 0.0416]
    # as a document, for what a question owes to its language is taken off its vector
    asking = replace(E5_SMALL_Q4, document_prompt=E5_SMALL_Q4.query_prompt)
    embedder = OnnxEmbedder(ensure("multilingual-q4", models_dir), threads=2, model=asking)
    vector = embedder.embed_documents(["how much protein per day"])[0]

    np.testing.assert_allclose(vector[:12], golden, atol=0.012)


@pytest.mark.model
def test_the_prompt_is_counted(embedder: OnnxEmbedder) -> None:
    assert embedder.count_tokens([embedder.model.document_prompt.strip()]) == [embedder.model.prompt_tokens]
    assert embedder.max_tokens == 508


@pytest.mark.model
def test_a_question_finds_a_passage_in_the_other_language(embedder: OnnxEmbedder) -> None:
    passages = embedder.embed_documents(["猫坐在垫子上。", "三月份利率上升了百分之二。", "The pump needs oil."])

    for question, best in (
        ("Where does the cat sit?", 0),
        ("How far did interest rates rise?", 1),
        ("泵需要什么？", 2),
    ):
        assert int(np.argmax(passages @ embedder.embed_queries([question])[0])) == best
