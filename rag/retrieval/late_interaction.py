"""Late interaction: how well each token of a question is matched by some token of a text (MaxSim). Pure.

Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT" (2020), with the
token vectors of the embedder that is there anyway. Owns the similarity, the space that token vectors are compared in, and the bytes
that they are stored as: two bits a dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rag.vectors import TokenVectors, Vectors

# What two bits stand for, in units of the square root of one over the dimension, the spread of a unit row's entries. On the natural
# sets this costs evidence@5 less than .02 against 32 bits; one bit costs .02 to .04, two thirds of the dimensions by a principal
# component analysis in 8 bits .02 to .10 (docs/decisions/0002-fusion.md).
LEVELS = np.array([-1.5, -0.5, 0.5, 1.5], dtype=np.float32)
# Dimensions come in whole blocks of this, which the rotation mixes and four of which fill a byte.
BLOCK = 64
_SEED = 1

_FOUR = np.array([[(byte >> shift) & 3 for shift in (0, 2, 4, 6)] for byte in range(256)])
_VALUES: Vectors = LEVELS[_FOUR]
_SQUARES: Vectors = (_VALUES**2).sum(axis=1)


def to_token_space(hidden: Vectors, mean: Vectors | None = None) -> Vectors:
    """Unit rows to compare and to store, shape (n, dimension), of a model's last hidden state, shape (n, hidden).

    `mean`, shape (hidden,), is what all tokens of the text's language have in common; it goes first, or texts of one language would all
    be nearer to each other than to what they ask about. The rotation spreads what is left evenly, so that two bits do for each entry.
    """
    rows = _unit_rows(hidden)
    if mean is not None:
        rows = _unit_rows(rows - mean)
    rotated: Vectors = rows @ _rotation(hidden.shape[1])
    return rotated


def max_similarity(query: TokenVectors, text: TokenVectors) -> float:
    """The mean over the query's tokens of the cosine with the nearest token of the text, -1..1; 0 where either has none."""
    return max_similarities(query, [text])[0]


def max_similarities(query: TokenVectors, texts: Sequence[TokenVectors]) -> list[float]:
    """`max_similarity` to each text."""
    if not len(query.vectors):
        return [0.0] * len(texts)
    return [float(each) for each in nearest(query, texts).mean(axis=0)]


def nearest(query: TokenVectors, texts: Sequence[TokenVectors]) -> npt.NDArray[np.float32]:
    """The cosine of each token of the query with the nearest token of each text, shape (query tokens, texts), float32."""
    found = np.zeros((len(query.vectors), len(texts)), dtype=np.float32)
    filled = [place for place, text in enumerate(texts) if len(text.vectors)]
    if filled and len(query.vectors):
        starts = np.cumsum([0, *(len(texts[place].vectors) for place in filled[:-1])])
        # one product for all: the threads of many small ones wait for each other, half a second in all on a busy machine
        cosines = np.concatenate([texts[place].vectors for place in filled]) @ query.vectors.T
        found[:, filled] = np.maximum.reduceat(cosines, starts, axis=0).T
    return found


@dataclass(frozen=True, slots=True)
class PackedTokens:
    """Token vectors as they are stored: `offsets`, pairs of little-endian int32; `vectors`, four dimensions a byte, a row a token."""

    offsets: bytes
    vectors: bytes


def pack(tokens: TokenVectors) -> PackedTokens:
    """The bytes of token vectors."""
    if not len(tokens.vectors):
        return PackedTokens(b"", b"")
    steps = np.floor(tokens.vectors * np.sqrt(tokens.vectors.shape[1])).clip(-2, 1).astype(np.int8) + 2
    quads = steps.astype(np.uint8).reshape(len(steps), -1, 4)
    packed = quads[:, :, 0] | quads[:, :, 1] << 2 | quads[:, :, 2] << 4 | quads[:, :, 3] << 6
    return PackedTokens(tokens.offsets.astype("<i4").tobytes(), packed.astype(np.uint8).tobytes())


def unpack(packed: PackedTokens) -> TokenVectors:
    """Token vectors from their bytes, unit rows again."""
    offsets = np.frombuffer(packed.offsets, dtype="<i4").reshape(-1, 2).astype(np.int32)
    if not len(offsets):
        return TokenVectors(offsets, np.zeros((0, BLOCK), dtype=np.float32))
    stored = np.frombuffer(packed.vectors, dtype=np.uint8).reshape(len(offsets), -1)
    vectors = _VALUES.take(stored, axis=0).reshape(len(offsets), -1)
    vectors /= np.sqrt(_SQUARES.take(stored).sum(axis=1))[:, None]
    return TokenVectors(offsets, vectors)


def _unit_rows(vectors: Vectors) -> Vectors:
    """The rows scaled to length 1; a row of zeros stays."""
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled.astype(np.float32)


@lru_cache(maxsize=8)
def _rotation(hidden: int) -> Vectors:
    """Orthonormal rows, shape (hidden, whole blocks): signs, a permutation and Hadamard's matrix, twice; the same on every machine."""
    size = hidden + -hidden % BLOCK
    hadamard = np.ones((1, 1))
    while len(hadamard) < size & -size:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    mixed = np.kron(np.eye(size // len(hadamard)), hadamard) / np.sqrt(len(hadamard))
    random = np.random.default_rng(_SEED)
    found = np.eye(size)
    for _ in range(2):
        found = (found * random.choice([-1.0, 1.0], size))[:, random.permutation(size)] @ mixed
    return found[:hidden].astype(np.float32)
