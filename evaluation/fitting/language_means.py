"""Measures a model's language means (rag.adapters.embedding.language_means) on passages and questions of public sets,
English and Chinese.

Owns the reading of the rows and the averaging; nothing of it is searched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from rag.adapters.embedding.language_means import LANGUAGES, LanguageMeans
from rag.errors import ConfigurationError
from rag.text.language import language
from rag.vectors import Vectors

# More change no entry of a mean by more than its half precision.
TEXTS = 600
QUESTIONS = 300


class Measured(Protocol):
    """An embedder that shows its hidden states."""

    def hidden_states(self, texts: Sequence[str], *, query: bool) -> list[tuple[Vectors, Vectors]]:
        """Of each text its vector, and the hidden state of its own tokens, shape (tokens, hidden)."""


def measure(embedder: Measured, texts: Sequence[str], questions: Sequence[str], *, model: str) -> LanguageMeans:
    """The means over texts and over questions of each language, evenly taken, at most `TEXTS` and `QUESTIONS` of each.

    Raises:
        ConfigurationError: a language has no text or no question.
    """
    arrays: dict[str, dict[str, Vectors]] = {
        name: {} for name in ("documents", "document_tokens", "queries", "query_tokens")
    }
    for spoken in LANGUAGES:
        for query, rows, most, whole, tokens in (
            (False, texts, TEXTS, "documents", "document_tokens"),
            (True, questions, QUESTIONS, "queries", "query_tokens"),
        ):
            own = [row for row in rows if language(row) == spoken]
            if not own:
                raise ConfigurationError(
                    f"There are no {'questions' if query else 'texts'} in the language {spoken!r}."
                )
            found = embedder.hidden_states(own[:: max(1, len(own) // most)][:most], query=query)
            arrays[whole][spoken] = np.mean([vector for vector, _ in found], axis=0, dtype=np.float32)
            hidden = np.concatenate([states for _, states in found])
            unit = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
            arrays[tokens][spoken] = unit.mean(axis=0, dtype=np.float32)
    digest = hashlib.sha256(
        b"".join(part[key].astype("<f2").tobytes() for part in arrays.values() for key in LANGUAGES)
    )
    name = f"{model}-{digest.hexdigest()[:8]}"
    return LanguageMeans(
        name, arrays["documents"], arrays["queries"], arrays["document_tokens"], arrays["query_tokens"]
    )


def read_field(paths: Sequence[Path], field: str) -> list[str]:
    """A field of each row of JSONL files.

    Raises:
        ConfigurationError: a file cannot be read, or a row has no such field.
    """
    try:
        return [
            str(json.loads(line)[field])
            for path in paths
            for line in path.read_text(encoding="utf-8").split("\n")
            if line.strip()
        ]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"The rows cannot be read ({error}); each needs {field!r}.") from error
