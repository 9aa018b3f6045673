"""Vectors of texts and of their tokens, as embedders give them and indexes keep them.

Owns the shapes. Must not know a model or a store.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """A text's tokens as its embedder sees them in their context.

    Attributes:
        offsets: where each stands in the text, shape (n, 2), int32: characters, half-open.
        vectors: shape (n, dimension of the token space), float32, unit rows.
    """

    offsets: npt.NDArray[np.int32]
    vectors: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Texts as their embedder sees them, of one forward pass each.

    Attributes:
        vectors: one for each text, shape (n, dimension), float32, unit rows.
        tokens: those of each text's tokens, in the embedder's `token_space`.
    """

    vectors: Vectors
    tokens: list[TokenVectors]
