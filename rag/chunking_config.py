"""How a collection's documents are cut into chunks: part of what the collection is, like its embedding model. Pure.

A collection keeps the size that it was made with. A way of cutting that this Docent does not know cannot be kept, so it is
refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.errors import ConflictError

METHOD = "sections-1"
"""The chunker's way of cutting; a change of what it makes of the same text gets another name."""


@dataclass(frozen=True, slots=True)
class ChunkingConfig:
    """`tokens`: target size of a chunk in the embedder's tokens."""

    tokens: int
    method: str = METHOD

    def __str__(self) -> str:
        return f"{self.method}/{self.tokens}"


def parse(stored: str, collection: str) -> ChunkingConfig:
    """The recipe of a collection, which is named in the error.

    Raises:
        ConflictError: it is not one that this Docent can follow (code "recipe_mismatch").
    """
    match = re.fullmatch(rf"{re.escape(METHOD)}/(\d{{1,6}})", stored)
    if match is None:
        raise ConflictError(
            f"The collection {collection!r} was cut into chunks by the recipe {stored!r}; this Docent cuts by {METHOD!r}. "
            f'Run `docent reindex --collection "{collection}" --change-chunking`, or upload into a new collection.',
            code="recipe_mismatch",
        )
    return ChunkingConfig(int(match[1]))
