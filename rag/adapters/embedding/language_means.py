"""What a model's vectors owe to the language alone, measured once for each model and taken away before vectors are compared.

In a multilingual model a question is nearer to any text of its language than to its answer in another. Owns the files beside it in
`language_means/`, and what is done with them; `docent eval fit-languages` makes them (docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from rag.vectors import Vectors

FOLDER = Path(__file__).with_name("language_means")
LANGUAGES = ("en", "zh")
_ARRAYS = ("documents", "queries", "document_tokens", "query_tokens")


@dataclass(frozen=True, slots=True, eq=False)
class LanguageMeans:
    """Means of one model by language, each of shape (hidden,), float32: of the vectors of texts and questions, and of their tokens'.

    `name` changes whenever the figures do; it is part of the name of the token space.
    """

    name: str
    documents: Mapping[str, Vectors]
    queries: Mapping[str, Vectors]
    document_tokens: Mapping[str, Vectors]
    query_tokens: Mapping[str, Vectors]

    def query_vector(self, vector: Vectors, language: str) -> Vectors:
        """A question's vector without what all questions share and without the direction that tells texts' languages apart.

        So texts of both languages, whose own vectors stay as they are, compete on equal terms. Shape (hidden,), unit length.
        """
        apart = self.documents["zh"] - self.documents["en"]
        apart /= np.linalg.norm(apart)
        left = vector - self.queries[language]
        left = left - apart * float(left @ apart)
        fair: Vectors = (left / max(float(np.linalg.norm(left)), 1e-12)).astype(np.float32)
        return fair


@lru_cache(maxsize=8)
def read_language_means(name: str) -> LanguageMeans:
    """The means of that name."""
    with np.load(FOLDER / f"{name}.npz") as stored:
        parts = [
            {language: stored[f"{array}_{language}"].astype(np.float32) for language in LANGUAGES} for array in _ARRAYS
        ]
    return LanguageMeans(name, *parts)


def write_language_means(folder: Path, means: LanguageMeans) -> Path:
    """Write means in half precision; the file that they are in."""
    path = folder / f"{means.name}.npz"
    arrays = {
        f"{array}_{language}": getattr(means, array)[language].astype(np.float16)
        for array in _ARRAYS
        for language in LANGUAGES
    }
    np.savez(path, **arrays)
    return path
