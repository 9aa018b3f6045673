"""The measurements: who runs when, medians and ratios.

The sides take turns in one run, so that whatever else the machine does falls on all of them; a ratio is the median of
the rounds' ratios. On a busy machine the ratio of CPU times tells more (it leaves out child processes, that is,
Docent's file readers). Both sides are warm before the first round: models loaded, one document ingested.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from bench.baseline import LangChainDefault
from bench.corpus import Paragraph
from bench.ingestion import DocentRounds
from bench.server import server_process

TOP_K = 10
Search = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report. `target` says what `value` should reach; `higher` whether more is better."""

    key: str
    title: str
    value: float
    unit: str
    target: float
    higher: bool
    detail: str

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.target if self.higher else self.value <= self.target


@dataclass(slots=True)
class Times:
    """Seconds of each round of one side: elapsed, and of CPU in this process (which other programs hardly change)."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, work: Callable[[], object]) -> None:
        """Run a round."""
        cpu = time.process_time()
        self.wall.append(_seconds(work))
        self.cpu.append(time.process_time() - cpu)


def measure(
    folder: Path, models_dir: Path, paragraphs: Sequence[Paragraph], questions: Sequence[str], *, rounds: int
) -> list[Result]:
    """All measurements, in `folder`, which must be empty.

    Raises:
        ConfigurationError: a setting or the machine is wrong.
    """
    texts = [item.text for item in paragraphs]
    data_dir = folder / "docent"
    docent = DocentRounds(data_dir, models_dir)
    try:
        langchain = LangChainDefault(folder / "langchain", models_dir / "all-MiniLM-L6-v2")
        try:
            results = _ingestion(docent, langchain, paragraphs, texts, rounds=rounds)
            last = f"round-{rounds}"
            found = _searches(
                {
                    "docent": lambda query: docent.search(last, query, limit=TOP_K),
                    "langchain": lambda query: langchain.search(last, query, limit=TOP_K),
                },
                questions,
            )
        finally:
            langchain.close()
    finally:
        docent.close()
    with server_process(data_dir, models_dir) as server:
        over_http = _searches({"http": lambda query: server.search(last, query, limit=TOP_K)}, questions)["http"]
        weight = server.resident_mib()
    return [*results, *_search_results(found["docent"], found["langchain"], over_http), _memory(weight)]


def _ingestion(
    docent: DocentRounds,
    langchain: LangChainDefault,
    paragraphs: Sequence[Paragraph],
    texts: Sequence[str],
    *,
    rounds: int,
) -> list[Result]:
    docent.ingest("warm", paragraphs[:1])
    langchain.ingest("warm", texts[:1])
    ours, theirs, bare = Times(), Times(), Times()
    embedded: list[str] = []
    for number in range(1, rounds + 1):
        name = f"round-{number}"
        ours.add(partial(docent.ingest, name, paragraphs))
        theirs.add(partial(langchain.ingest, name, texts))
        embedded = docent.embedding_texts(name)
        bare.add(partial(docent.embed, embedded))
        if number < rounds:
            docent.forget(name)
            langchain.forget(name)
    count = len(paragraphs)
    return [
        Result(
            "ingest_vs_langchain",
            "Ingestion, speed against LangChain's default",
            ratio(theirs.wall, ours.wall),
            "x",
            3.0,
            True,
            f"medians {count / median(ours.wall):.1f} against {count / median(theirs.wall):.1f} paragraphs/s; "
            f"in CPU time {ratio(theirs.cpu, ours.cpu):.2f} x; "
            f"{len(embedded)} and {langchain.count(f'round-{rounds}')} chunks",
        ),
        Result(
            "ingest_vs_embedding",
            "Ingestion, speed against the bare embedding loop",
            ratio(bare.wall, ours.wall),
            "x",
            0.85,
            True,
            f"medians {count / median(ours.wall):.1f} against {count / median(bare.wall):.1f} paragraphs/s; "
            f"in CPU time {ratio(bare.cpu, ours.cpu):.2f} x; same chunks",
        ),
    ]


def _searches(sides: dict[str, Search], questions: Sequence[str]) -> dict[str, list[float]]:
    """Milliseconds of each question on each side, in turns; the first tenth warms up and is asked again."""
    for query in questions[: max(1, len(questions) // 10)]:
        for search in sides.values():
            search(query)
    found: dict[str, list[float]] = {name: [] for name in sides}
    for query in questions:
        for name, search in sides.items():
            found[name].append(1000 * _seconds(partial(search, query)))
    return found


def _search_results(ours: list[float], theirs: list[float], over_http: list[float]) -> list[Result]:
    return [
        Result(
            "search_vs_langchain",
            "Search in-process, time against LangChain's default",
            ratio(ours, theirs),
            "x",
            1.0,
            False,
            f"{_spread(ours)} (hybrid, joined, focused) against {_spread(theirs)} (dense only)",
        ),
        Result(
            "search_http_p50_ms",
            "POST /api/v1/search over HTTP, median",
            median(over_http),
            "ms",
            20.0,
            False,
            _spread(over_http),
        ),
    ]


def _memory(weight: float) -> Result:
    return Result(
        "server_mib",
        "Resident memory of the server, no chat model",
        weight,
        "MiB",
        500.0,
        False,
        "after those searches; master and worker added up",
    )


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median(a / b for a, b in zip(numerator, denominator, strict=True))


def _spread(times: list[float]) -> str:
    return f"p50 {median(times):.1f} ms, p95 {quantiles(times, n=20)[-1]:.1f} ms"


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
