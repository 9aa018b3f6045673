"""What is measured on: paragraphs from a JSON-lines file, or made from the project's own texts; and questions about
them.

Deterministic: the same arguments give the same paragraphs and questions, byte for byte, as long as the texts they are
made from stay the same. Reads files only.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR
from rag.text.language import is_cjk, sentences

SEED = 20
# About 170 tokens of English.
PARAGRAPH_CHARACTERS = 750
QUESTION_WORDS = 10


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One document of the corpus; `id` is unique in it and fit for a file name."""

    id: str
    text: str


def read_corpus(path: Path, *, limit: int) -> list[Paragraph]:
    """The first `limit` paragraphs of a JSON-lines file with "id" and "text" on every line.

    Raises:
        ConfigurationError: the file cannot be read or has another form.
    """
    found: list[Paragraph] = []
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if len(found) == limit:
                    break
                row = json.loads(line)
                found.append(Paragraph(str(row["id"]).replace("/", "_"), str(row["text"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f'{path} is not a JSON-lines file with "id" and "text": {error}.') from error
    if not found:
        raise ConfigurationError(f"{path} holds no paragraphs.")
    return found


def make_corpus(count: int) -> list[Paragraph]:
    """`count` different paragraphs of about 170 tokens, drawn from the sentences of the documentation and the
    samples.
    """
    pool = _own_sentences()
    draw = random.Random(SEED)  # noqa: S311  # a fixed corpus, not a secret
    found = []
    for number in range(count):
        words: list[str] = []
        length = 0
        while length < PARAGRAPH_CHARACTERS:
            words.append(draw.choice(pool))
            length += len(words[-1]) + 1
        found.append(Paragraph(f"p{number:05d}", " ".join(words)))
    return found


def make_questions(paragraphs: list[Paragraph], *, count: int) -> list[str]:
    """`count` queries of ten words, each taken from the middle of a paragraph; paragraphs are visited at equal
    steps.
    """
    step = max(1, len(paragraphs) // count)
    found = []
    for number in range(count):
        words = paragraphs[number * step % len(paragraphs)].text.split()
        start = max(0, len(words) // 2 - QUESTION_WORDS // 2)
        found.append(" ".join(words[start : start + QUESTION_WORDS])[:200])
    return found


def _own_sentences() -> list[str]:
    """Every English sentence of some length in the project's own texts, in a fixed order, each once."""
    paths = [PROJECT_DIR / "README.md", *sorted((PROJECT_DIR / "docs").rglob("*.md"))]
    paths += sorted((PROJECT_DIR / "data" / "samples").glob("*.txt"))
    found: dict[str, None] = {}
    if not paths[0].is_file():
        raise ConfigurationError("The documentation that paragraphs are made from is not installed: name a --corpus.")
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for start, end in sentences(text):
            sentence = " ".join(text[start:end].split())
            if 40 <= len(sentence) <= 300 and not is_cjk(sentence) and "|" not in sentence:
                found.setdefault(sentence)
    return list(found)
