"""`docent eval observe`, `calibrate`, `evidence`, `rank-rows` and `fit-…`: what fits the judgements of Docent."""

from __future__ import annotations

from typing import Any

import click

from cli import options


@click.command()
@options.golden
@options.collection
@options.set_name
@options.limit
@options.drafts
def observe(**given: Any) -> int:
    """Print rows of golden questions for `calibrate`."""
    from cli.evaluation.certainty import observe

    return observe(**given)


@click.command()
@click.argument("rows", nargs=-1, required=True, type=options.PATH, metavar="ROWS.jsonl...")
@options.out
@click.option("--plot", type=options.PATH, metavar="PNG", help="draw risk against coverage there")
@click.option(
    "--false-abstain",
    type=options.share,
    multiple=True,
    metavar="[JUDGEMENT=]X",
    help="at most this share of answerable questions unanswered, of all judgements or of one (default: .10)",
)
@click.option(
    "--features",
    type=options.chosen_features,
    multiple=True,
    metavar="[JUDGEMENT=]A,B",
    help="fit on these features of the rows, of all judgements or of one (default: all that the rows have)",
)
@click.option(
    "--precision",
    type=options.share,
    multiple=True,
    metavar="JUDGEMENT=X",
    help="instead: the lowest threshold above which this share of the rows is right (for the judgements of certainty)",
)
@click.option("--l2", type=float, default=1.0, metavar="X", show_default=True, help="strength of the penalty")
def calibrate(**given: Any) -> int:
    """Fit the thresholds of certainty on rows of features."""
    from cli.evaluation.certainty import calibrate

    return calibrate(**given)


@click.command()
@click.argument("sets", nargs=-1, required=True, type=options.named_set, metavar="COLLECTION=GOLDEN.jsonl...")
@options.out
@options.limit
def evidence(**given: Any) -> int:
    """Fit what a block of text is worth as evidence.

    A set is a collection of the data folder with questions about it that quote their evidence or have short answers.
    """
    from cli.evaluation.ranking import fit_evidence

    return fit_evidence(**given)


@click.command()
@options.golden
@options.collection
@options.set_name
def rank_rows(**given: Any) -> int:
    """Print rows of golden questions for `fit-ranking`."""
    from cli.evaluation.ranking import rank_rows

    return rank_rows(**given)


@click.command()
@click.argument("rows", nargs=-1, required=True, type=options.PATH, metavar="ROWS.jsonl...")
@options.out
@click.option(
    "--features",
    type=options.chosen_features,
    metavar="A,B",
    help="fit on these features only (default: all that the rows have)",
)
def fit_ranking(**given: Any) -> int:
    """Fit the weights of the ranker on rows of `rank-rows`."""
    from cli.evaluation.ranking import fit_ranking

    return fit_ranking(**given)


@click.command()
@click.argument("preset", type=click.Choice(["english", "multilingual"]))
@click.option(
    "--texts",
    multiple=True,
    required=True,
    type=options.PATH,
    metavar="JSONL",
    help='rows with a "text"; several times',
)
@click.option(
    "--questions",
    multiple=True,
    required=True,
    type=options.PATH,
    metavar="JSONL",
    help='rows with a "query"; several times',
)
@click.option("--out", type=options.PATH, required=True, metavar="DIR", help="where to write the file")
def fit_languages(**given: Any) -> int:
    """Measure what vectors owe to the language alone."""
    from cli.evaluation.ranking import fit_languages

    return fit_languages(**given)


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.PATH, metavar="FILE.jsonl...")
@click.option("--out", type=options.PATH, metavar="MODEL.json", help="where to write the model (default: print it)")
def fit_sentences(**given: Any) -> int:
    """Fit the model of verification on labelled sentences."""
    from cli.evaluation.sentences import fit

    return fit(**given)
