"""`docent eval evidence`, `rank-rows`, `fit-ranking`, `fit-languages`: fit what blocks and passages are ordered by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cli.files import write_text
from cli.terminal import counter
from rag.settings import Settings

DEPTHS = (1, 5, 10)


def fit_evidence(*, sets: Sequence[tuple[str, Path]], out: Path, limit: int | None) -> int:
    """Fit what blocks are worth, write the weights, and print how each set does by weights that never saw it."""
    from evaluation.fitting import blocks as block_fit
    from evaluation.golden import read_golden
    from evaluation.session import local_subject, open_services
    from evaluation.tables import as_text

    asked = [(name, read_golden(path, limit=limit)) for name, path in sets]
    rows = []
    with open_services(Settings.load(), chat=False) as services:
        for name, questions in asked:
            subject = local_subject(services, name)
            progress = counter(f"read {name}", len(questions))
            for done, question in enumerate(questions, start=1):
                if block_fit.has_gold(question):
                    found = subject.searcher.search(question.question, collections=[name], top_k=subject.top_k)
                    rows.append(block_fit.labelled(name, question, services.selector.scored(found)))
                progress(done)
    write_text(out, json.dumps(block_fit.to_json(rows), indent=2) + "\n")
    print(as_text(block_fit.left_out(rows)))
    return 0


def rank_rows(*, golden: Path, collection: str, set_name: str | None) -> int:
    """Print rows of candidates of golden questions."""
    from evaluation.fitting.ranking_rows import ranking_rows
    from evaluation.golden import read_golden
    from evaluation.session import open_services

    questions = read_golden(golden)
    with open_services(Settings.load(), chat=False) as services:
        services.collections.get(collection)
        name = set_name or golden.stem
        for row in ranking_rows(questions, services.retriever, collection=collection, name=name):
            print(json.dumps(row), flush=True)
    return 0


def fit_ranking(*, rows: Sequence[Path], out: Path, features: tuple[str, tuple[str, ...]] | None) -> int:
    """Fit, write, and print how often the best candidates hold the answer.

    Each set is also judged by weights that never saw it.
    """
    from evaluation.fitting import ranking

    names, questions = ranking.read_questions(rows)
    if features:
        names, questions = ranking.with_features(names, questions, features[1])
    weights = ranking.fit(questions)
    found = ranking.to_json(names, weights, questions)
    write_text(out, json.dumps(found, indent=2) + "\n")
    print("  ".join(f"{name} {weight}" for name, weight in found["weights"].items()))
    unseen = ranking.left_out(questions, DEPTHS)
    print(f"set, held by the best {', '.join(map(str, DEPTHS))}: fitted on all sets; on the others")
    for name in found["sets"]:
        own = ranking.found_at([each for each in questions if each.set == name], weights, DEPTHS)
        columns = [own, unseen[name]] if name in unseen else [own]
        print(name + "  " + "  ;  ".join(" ".join(f"{share:.3f}" for share in column) for column in columns))
    return 0


def fit_languages(*, preset: str, texts: Sequence[Path], questions: Sequence[Path], out: Path) -> int:
    """Measure and write the language means of a preset."""
    from evaluation.fitting.language_means import measure, read_field
    from rag.adapters.embedding.embedders import choose_multilingual, prepare
    from rag.adapters.embedding.language_means import write_language_means
    from rag.adapters.embedding.onnx import MINILM, OnnxEmbedder

    settings = Settings.load()
    passages, asked = read_field(texts, "text"), read_field(questions, "query")
    model = MINILM if preset == "english" else choose_multilingual(settings.models_dir)
    folder = prepare(model, settings.models_dir)
    embedder = OnnxEmbedder(folder, threads=settings.threads, model=replace(model, means=""))
    print(write_language_means(out, measure(embedder, passages, asked, model=preset)))
    return 0
