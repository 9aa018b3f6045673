"""Verification measured on labelled sentences: verdicts by label and kind, and the rows from which its model is fitted.

A row is {id, lang, question, sources: [{n, file, heading, text}], sentence, cited, label: supported|unsupported, kind}.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError
from rag.types import Evidence, Passage, Verdict
from rag.verification.verifier import Judgement, Verifier

Row = Mapping[str, Any]
KEPT = (Verdict.VERIFIED, Verdict.CONSISTENT)
FIELDS = ("id", "sources", "sentence", "cited", "label", "kind")


def read_sentences(path: Path) -> list[Row]:
    """The rows of a file. Raises ConfigurationError where it is none of this kind."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON lines: {error}") from error
    for row in rows:
        if not isinstance(row, dict) or any(field not in row for field in FIELDS):
            raise ConfigurationError(f"{path}: each row needs {', '.join(FIELDS)}.")
    return rows


def evidence_of(row: Row) -> list[Evidence]:
    """The sources of a row as evidence of passages of their own."""
    found = []
    for at, source in enumerate(row["sources"]):
        text = source["text"]
        passage = Passage(
            chunk_id=f"{row['id']}/{at}",
            document_id=source["file"],
            filename=source["file"],
            collection="",
            content_sha256="",
            char_start=0,
            char_end=len(text),
            text=text,
            page=None,
            page_end=None,
            heading=source.get("heading"),
        )
        found.append(Evidence(int(source["n"]), passage, 0, len(text), text, 0.0))
    return found


def judge_rows(rows: Sequence[Row], verifier: Verifier) -> tuple[list[Judgement], list[float]]:
    """The judgement of each row, and what text alone took, in milliseconds, the evidence being read before."""
    found, spent = [], []
    for row in rows:
        evidence, question = evidence_of(row), row.get("question", "")
        verifier.prepare(evidence)
        started = time.perf_counter()
        judgement = verifier.judge(row["sentence"], row["cited"], evidence, question)
        spent.append(1000 * (time.perf_counter() - started))
        found += verifier.confirm([(row["sentence"], judgement)], evidence, question)
    return found, spent


def summary(rows: Sequence[Row], judged: Sequence[Judgement], entailment: str | None) -> dict[str, Any]:
    """The counts by label and kind.

    `rejected` is `unsupported` or `uncited`, and for false sentences `misattributed` too: what is at fault there is the
    citation, which is replaced. A faithful sentence that is `misattributed` stays with another citation, so it is
    neither kept nor rejected and is counted apart; in all rows `misattributed` tells how many there were.
    """
    pairs = list(zip(rows, judged, strict=True))
    kinds = sorted({f"{row['label']}/{row['kind']}" for row in rows})
    return {
        "supported": _counts(pair for pair in pairs if pair[0]["label"] == "supported"),
        "unsupported": _counts(pair for pair in pairs if pair[0]["label"] != "supported"),
        "kinds": {
            kind: _counts(pair for pair in pairs if f"{pair[0]['label']}/{pair[0]['kind']}" == kind) for kind in kinds
        },
        "entailment": entailment,
    }


def _counts(pairs: Iterable[tuple[Row, Judgement]]) -> dict[str, int]:
    counted = dict.fromkeys(("n", "verified", "consistent", "rejected", "misattributed"), 0)
    for row, judgement in pairs:
        counted["n"] += 1
        verdict = judgement.verdict
        counted["misattributed"] += verdict is Verdict.MISATTRIBUTED
        if verdict in KEPT:
            counted[verdict.value] += 1
        elif verdict is not Verdict.MISATTRIBUTED or row["label"] != "supported":
            counted["rejected"] += 1
    return counted
