"""The arguments of `python -m evaluation` and its further commands."""

from __future__ import annotations

import argparse
from pathlib import Path

PROG = "python -m evaluation"


def evaluate_parser() -> argparse.ArgumentParser:
    """The arguments of measuring."""
    command = argparse.ArgumentParser(
        prog=PROG,
        description="Measure Docent on golden questions about your own documents.",
        epilog=f"More commands: {PROG} draft, observe or calibrate --help. All figures: docs/evaluation.md.",
    )
    command.add_argument("golden", type=Path, metavar="golden.jsonl", help="the questions, one JSON object a line")
    command.add_argument("--collection", default="default", metavar="C", help="where to look (default: default)")
    command.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        help="measure two variants: a settings file, DOCENT_NAME=VALUE,… pairs, `current`, or a server's URL",
    )
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.add_argument(
        "--gate", type=Path, metavar="FILE", help="JSON or TOML of minimums and maximums; exit 1 below"
    )
    command.add_argument("--report", type=Path, metavar="DIR", help="write report.md with pictures there")
    command.add_argument(
        "--ask",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask for answers too (default), or search only",
    )
    command.add_argument("--limit", type=_positive, metavar="N", help="only the first N questions")
    command.add_argument("--drafts", action="store_true", help="measure on drafted questions too")
    command.add_argument(
        "--server", metavar="URL", help="measure that server (default: the server that owns the data folder, if any)"
    )
    return command


def draft_parser() -> argparse.ArgumentParser:
    """The arguments of drafting."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} draft", description="Draft golden questions about a collection with the configured chat model."
    )
    command.add_argument("--collection", default="default", metavar="C", help="what to ask about (default: default)")
    command.add_argument("--count", type=_positive, default=50, metavar="N", help="how many questions (default: 50)")
    command.add_argument("--seed", type=int, default=7, metavar="S", help="another seed, other chunks (default: 7)")
    return command


def observe_parser() -> argparse.ArgumentParser:
    """The arguments of observing."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} observe", description="Print, for each golden question, the rows that `calibrate` fits on."
    )
    command.add_argument("golden", type=Path, metavar="golden.jsonl", help="the questions, one JSON object a line")
    command.add_argument("--collection", default="default", metavar="C", help="where to look (default: default)")
    command.add_argument("--set", metavar="NAME", help="what the rows' set is called (default: the file's name)")
    command.add_argument("--limit", type=_positive, metavar="N", help="only the first N questions")
    command.add_argument("--drafts", action="store_true", help="take drafted questions too")
    return command


def calibrate_parser() -> argparse.ArgumentParser:
    """The arguments of calibrating."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} calibrate", description="Fit the abstention thresholds on rows of features."
    )
    command.add_argument("features", nargs="+", type=Path, metavar="FEATURES.jsonl", help="rows of features")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON to write")
    command.add_argument("--plot", type=Path, metavar="PNG", help="draw risk against coverage there")
    command.add_argument(
        "--false-abstain",
        type=_target,
        action="append",
        default=[],
        metavar="[JUDGEMENT=]X",
        help="at most this share of answerable questions unanswered, of all judgements or of one (default: .10)",
    )
    command.add_argument(
        "--features",
        dest="chosen",
        type=_chosen,
        action="append",
        default=[],
        metavar="[JUDGEMENT=]A,B",
        help="fit on these features of the rows, of all judgements or of one (default: all that the rows have)",
    )
    command.add_argument(
        "--precision",
        type=_target,
        action="append",
        default=[],
        metavar="JUDGEMENT=X",
        help="instead: the lowest threshold above which this share of the rows is right (for certainty)",
    )
    command.add_argument("--l2", type=float, default=1.0, metavar="X", help="strength of the penalty (default: 1)")
    return command


def evidence_parser() -> argparse.ArgumentParser:
    """The arguments of fitting what blocks are worth."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} evidence",
        description="Fit what a block of text is worth as evidence, on golden questions that quote their evidence "
        "or have short answers.",
    )
    command.add_argument(
        "sets",
        nargs="+",
        type=_collection_of,
        metavar="COLLECTION=golden.jsonl",
        help="a collection of the data folder, and the questions about it",
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON to write")
    command.add_argument("--limit", type=_positive, metavar="N", help="only the first N questions of each set")
    return command


def _collection_of(text: str) -> tuple[str, Path]:
    collection, equals, path = text.partition("=")
    if not collection or not equals or not path:
        raise argparse.ArgumentTypeError("expected COLLECTION=golden.jsonl")
    return collection, Path(path)


def rank_rows_parser() -> argparse.ArgumentParser:
    """The arguments of `rank-rows`."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} rank-rows",
        description="Print, for each golden question, the candidates that `fit-ranking` fits on.",
    )
    command.add_argument("golden", type=Path, metavar="golden.jsonl", help="the questions, one JSON object a line")
    command.add_argument("--collection", default="default", metavar="C", help="where to look (default: default)")
    command.add_argument("--set", metavar="NAME", help="what the rows' set is called (default: the file's name)")
    return command


def fit_ranking_parser() -> argparse.ArgumentParser:
    """The arguments of `fit-ranking`."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} fit-ranking", description="Fit the weights of the ranker on rows of candidates."
    )
    command.add_argument("rows", nargs="+", type=Path, metavar="ROWS.jsonl", help="rows of `rank-rows`")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JSON to write")
    command.add_argument(
        "--features", type=_chosen, metavar="A,B", help="fit on these features only (default: all that the rows have)"
    )
    return command


def fit_languages_parser() -> argparse.ArgumentParser:
    """The arguments of `fit-languages`."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} fit-languages",
        description="Measure what the vectors of an embedding preset owe to the language alone, on rows of English "
        "and Chinese.",
    )
    command.add_argument("preset", choices=("english", "multilingual"), help="the preset")
    command.add_argument("--texts", nargs="+", type=Path, required=True, metavar="JSONL", help='rows with a "text"')
    command.add_argument(
        "--questions", nargs="+", type=Path, required=True, metavar="JSONL", help='rows with a "query"'
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write the file")
    return command


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1")
    return number


def _chosen(text: str) -> tuple[str, tuple[str, ...]]:
    judgement, _, names = text.rpartition("=")
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    if not chosen:
        raise argparse.ArgumentTypeError("expected names of features")
    return judgement, chosen


def _target(text: str) -> tuple[str, float]:
    judgement, _, share = text.rpartition("=")
    number = float(share)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("expected a number from 0 to 1")
    return judgement, number


def sentences_parser() -> argparse.ArgumentParser:
    """The arguments of measuring verification."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} sentences",
        description="Judge labelled sentences against their sources; print the verdicts by label and kind.",
    )
    command.add_argument(
        "file", type=Path, metavar="FILE.jsonl", help="rows with sources, sentence, cited, label, kind"
    )
    command.add_argument("--json", action="store_true", help="print the counts as JSON")
    command.add_argument(
        "--entailment", metavar="none|chat|NAME", help="what judges other words (default: as the settings say)"
    )
    return command


def fit_sentences_parser() -> argparse.ArgumentParser:
    """The arguments of fitting the model of verification."""
    command = argparse.ArgumentParser(
        prog=f"{PROG} fit-sentences",
        description="Fit the model of verification, and print how it does on rows left out of the fit.",
    )
    command.add_argument("files", type=Path, nargs="+", metavar="FILE.jsonl")
    command.add_argument("--out", type=Path, metavar="model.json", help="where to write the model (default: print it)")
    return command
