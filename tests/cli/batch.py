"""A batch of files of all formats, no two alike, each with a word of its own; one in twenty cannot be read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from tests.ingest.conftest import make_docx, make_pdf, paragraph
from tests.ingest.readers.builders import make_epub, make_odf, make_pptx, make_xlsx, row, shape

_WORDS = "quartz amber willow copper lantern meadow harbour violet granite saffron".split()


def _cells(lines: list[str]) -> str:
    return "".join(
        f"<table:table-row><table:table-cell><text:p>{line}</text:p></table:table-cell></table:table-row>"
        for line in lines
    )


_MAKERS: dict[str, Callable[[list[str]], bytes]] = {
    ".md": lambda lines: ("# Title\n\n" + "\n\n".join(lines)).encode(),
    ".txt": lambda lines: "\n\n".join(lines).encode(),
    ".pdf": lambda lines: make_pdf([[(line[:90], 11, False, 700 - 20 * i) for i, line in enumerate(lines)]]),
    ".docx": lambda lines: make_docx("".join(map(paragraph, lines))),
    ".pptx": lambda lines: make_pptx([shape("Title", kind="title") + shape(line) for line in lines]),
    ".xlsx": lambda lines: make_xlsx({"S": row(1, "No", "Text") + "".join(row(i + 2, str(i), line) for i, line in enumerate(lines))}),
    ".odt": lambda lines: make_odf("text", "".join(f"<text:p>{line}</text:p>" for line in lines)),
    ".ods": lambda lines: make_odf("spreadsheet", f"<table:table>{_cells(lines)}</table:table>"),
    ".odp": lambda lines: make_odf("presentation", "".join(f"<draw:page><draw:frame><text:p>{line}</text:p></draw:frame></draw:page>" for line in lines)),
    ".epub": lambda lines: make_epub({f"c{i}": f"<h1>Chapter {i}</h1><p>{line}</p>" for i, line in enumerate(lines)}),
    ".html": lambda lines: "".join(f"<p>{line}</p>" for line in lines).encode(),
    ".rst": lambda lines: ("Title\n=====\n\n" + "\n\n".join(lines)).encode(),
    ".rtf": lambda lines: ("{\\rtf1 " + "\\par ".join(lines) + "}").encode(),
    ".eml": lambda lines: ("From: a@b.c\nSubject: x\n\n" + "\n\n".join(lines)).encode(),
    ".csv": lambda lines: ("no,text\n" + "\n".join(f"{i},{line}" for i, line in enumerate(lines))).encode(),
    ".json": lambda lines: json.dumps({"lines": lines}).encode(),
    ".jsonl": lambda lines: "\n".join(json.dumps({"line": line}) for line in lines).encode(),
    ".ipynb": lambda lines: json.dumps({"cells": [{"cell_type": "markdown", "source": line} for line in lines]}).encode(),
    ".py": lambda lines: "\n".join(f"# {line}" for line in lines).encode(),
}  # fmt: skip


def write_batch(folder: Path, files: int) -> None:
    """Write `files` files into a folder; the same ones each time, but for the dates inside archives."""
    folder.mkdir(parents=True, exist_ok=True)
    extensions = list(_MAKERS)
    for number in range(files):
        chosen = random.Random(number)
        lines = [f"file{number} " + " ".join(chosen.choices(_WORDS, k=40)) + "." for _ in range(1 + number % 9)]
        extension = extensions[number % len(extensions)]
        data = _MAKERS[extension](lines)
        if number % 20 == 19:
            data = f"file{number}".encode() + bytes(200)
        (folder / f"file-{number:04}{extension}").write_bytes(data)
