"""The commands that fit what search ranks by: `rank-rows`, `fit-ranking` and `fit-languages`."""

from __future__ import annotations

import argparse
import json

from rag.errors import ConfigurationError
from rag.settings import Settings

DEPTHS = (1, 5, 10)


def rank_rows(options: argparse.Namespace) -> int:
    """Print rows of candidates of golden questions."""
    from evaluation.fitting.ranking_rows import ranking_rows
    from evaluation.golden import read_golden
    from evaluation.session import open_services

    questions = read_golden(options.golden)
    with open_services(Settings.load(), chat=False) as services:
        services.collections.get(options.collection)
        name = options.set or options.golden.stem
        for row in ranking_rows(questions, services.retriever, collection=options.collection, name=name):
            print(json.dumps(row), flush=True)
    return 0


def fit_ranking(options: argparse.Namespace) -> int:
    """Fit, write, and print how often the best candidates hold the answer, also for each set by weights that never saw
    it.
    """
    from evaluation.fitting import ranking

    names, questions = ranking.read_questions(options.rows)
    if options.features:
        names, questions = ranking.with_features(names, questions, options.features[1])
    weights = ranking.fit(questions)
    found = ranking.to_json(names, weights, questions)
    try:
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}.") from error
    print("  ".join(f"{name} {weight}" for name, weight in found["weights"].items()))
    unseen = ranking.left_out(questions, DEPTHS)
    print(f"set, held by the best {', '.join(map(str, DEPTHS))}: fitted on all sets; on the others")
    for name in found["sets"]:
        own = ranking.found_at([each for each in questions if each.set == name], weights, DEPTHS)
        columns = [own, unseen[name]] if name in unseen else [own]
        print(name + "  " + "  ;  ".join(" ".join(f"{share:.3f}" for share in column) for column in columns))
    return 0


def fit_languages(options: argparse.Namespace) -> int:
    """Measure and write the language means of a preset."""
    from dataclasses import replace

    from evaluation.fitting.language_means import measure, read_field
    from rag.adapters.embedding.embedders import choose_multilingual, prepare
    from rag.adapters.embedding.language_means import write_language_means
    from rag.adapters.embedding.onnx import MINILM, OnnxEmbedder

    settings = Settings.load()
    texts, questions = read_field(options.texts, "text"), read_field(options.questions, "query")
    model = MINILM if options.preset == "english" else choose_multilingual(settings.models_dir)
    folder = prepare(model, settings.models_dir)
    embedder = OnnxEmbedder(folder, threads=settings.threads, model=replace(model, means=""))
    means = measure(embedder, texts, questions, model=options.preset)
    print(write_language_means(options.out, means))
    return 0
