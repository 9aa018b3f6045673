"""`docent eval sentences` and `fit-sentences`: measures verification on labelled sentences, and fits its model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cli.files import write_text
from evaluation.sentences import judge_rows, read_sentences, summary
from evaluation.session import open_judges
from rag.settings import Settings


def judge(file: Path, *, as_json: bool, entailment: str | None) -> int:
    """Print the verdicts on labelled sentences."""
    from rag.adapters.entailment import build_entailment
    from rag.verification.verifier import Verifier

    rows = read_sentences(file)
    settings = Settings.load()
    if entailment is not None:
        settings = replace(settings, entailment_model=entailment)
    with open_judges(settings) as (embedder, chat):
        judging = build_entailment(settings, chat)
        judged, spent = judge_rows(rows, Verifier(embedder, judging))
    found = summary(rows, judged, judging.name if judging else None)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    for label in ("supported", "unsupported", *found["kinds"]):
        counts = found[label] if label in found else found["kinds"][label]
        print(f"{label:<30}" + "  ".join(f"{name} {count}" for name, count in counts.items()))
    ordered = sorted(spent) or [0.0]
    print(f"entailment: {found['entailment']}; text alone p50 {ordered[len(ordered) // 2]:.1f} ms, ", end="")
    print(f"p95 {ordered[int(0.95 * (len(ordered) - 1))]:.1f} ms a sentence")
    return 0


def fit(*, files: Sequence[Path], out: Path | None) -> int:
    """Fit the model of verification; print it, and how it does on rows left out."""
    from evaluation.fitting import sentences as sentence_model

    with open_judges(replace(Settings.load(), entailment_model="none")) as (embedder, _):
        parts = [sentence_model.observe(read_sentences(path), embedder) for path in files]
    for path, part in zip(files, parts, strict=True):
        print(f"{path.name}, by folds over source files: {sentence_model.cross_validated(part)}")
        if others := [other for other in parts if other is not part]:
            print(
                f"{path.name}, fitted on the others: {sentence_model.transferred(sentence_model.merged(others), part)}"
            )
    everything = sentence_model.merged(parts)
    print(f"all, by folds over source files: {sentence_model.cross_validated(everything)}")
    model = json.dumps(sentence_model.to_json(everything, [path.name for path in files]), indent=2)
    if out is None:
        print(model)
    else:
        write_text(out, model + "\n")
    return 0
