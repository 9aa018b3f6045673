"""`docent eval` in this process, over a real data folder and over a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import wiring
from cli.main import main as docent
from evaluation.variants import read_variant
from rag.errors import ConfigurationError
from rag.evidence.scoring import FEATURES
from rag.settings import Settings
from tests.fakes import HashEmbedder, ScriptedChat
from tests.web.conftest import ORCHARD, PUMP, Start, listening, servers

QUESTIONS = [
    {
        "question": "At how many bar does the pump in hall four run?",
        "relevant": ["pump.md"],
        "answers": ["40 bar"],
        "spans": [{"file": "pump.md", "start": 0, "end": 37}],
    },
    {"question": "When do apple trees in the orchard blossom?", "relevant": ["orchard.md"], "answers": ["late April"]},
    {"question": "Who won the chess championship?", "answerable": False},
]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean environment, a data folder of its own, the hash embedder, and no chat model but a test's."""
    for name in [name for name in os.environ if name.startswith("DOCENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCENT_DATA_DIR", str(tmp_path / "servers" / "data0"))
    monkeypatch.setenv("DOCENT_LLM", "extractive")
    speak_with(monkeypatch, None)


def speak_with(monkeypatch: pytest.MonkeyPatch, chat: ScriptedChat | None) -> None:
    build = (
        wiring.build_services.__wrapped__ if hasattr(wiring.build_services, "__wrapped__") else wiring.build_services
    )

    def built(settings: Settings, **more: Any) -> wiring.Services:
        return build(settings, embedder=HashEmbedder(), chat=chat, **more)  # type: ignore[no-any-return]

    built.__wrapped__ = build  # type: ignore[attr-defined]
    monkeypatch.setattr(wiring, "build_services", built)


def main(arguments: list[str]) -> int:
    return docent(["eval", *arguments])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with servers(tmp_path / "servers") as begin:
        yield begin


@pytest.fixture
def filled(start: Start) -> None:
    """A data folder with two documents, and nobody who has it open."""
    docent = start()
    docent.upload(("pump.md", PUMP), ("orchard.md", ORCHARD))
    docent.services.close()


@pytest.fixture
def golden(tmp_path: Path) -> str:
    path = tmp_path / "golden.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in QUESTIONS), encoding="utf-8")
    return str(path)


def gate(tmp_path: Path, **bounds: Any) -> str:
    path = tmp_path / "gate.json"
    path.write_text(json.dumps({name.replace("_at_", "@"): bound for name, bound in bounds.items()}), encoding="utf-8")
    return str(path)


def figures(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    run = json.loads(capsys.readouterr().out)["runs"][-1]
    return {name: figure["value"] for name, figure in run["figures"].items()}


@pytest.mark.usefixtures("filled")
def test_a_data_folder_is_measured(golden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([golden, "--json", "--report", str(tmp_path / "report")]) == 0

    found = figures(capsys)
    assert found["recall@5"] == found["evidence_recall_given"] == found["exact_quotes"] == found["accuracy"] == 1
    assert found["false_answer"] == found["errors"] == found["dangling_marks"] == 0
    assert {"retrieve_ms_p50", "evidence_ms_p95", "first_token_ms_p50", "total_ms_p95"} <= found.keys()
    assert (tmp_path / "report" / "report.md").exists()


@pytest.mark.usefixtures("filled")
def test_a_table_for_people(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([golden, "--no-ask", "--limit", "1"]) == 0

    out = capsys.readouterr().out
    assert "golden.jsonl`, 1 questions" in out
    assert "95 % interval" in out
    assert "accuracy" not in out


@pytest.mark.usefixtures("filled")
def test_the_gate_decides_the_exit_status(golden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([golden, "--gate", gate(tmp_path, ndcg_at_10={"min": 0.9}, false_answer={"max": 0.1})]) == 0
    capsys.readouterr()
    assert (
        main([golden, "--gate", gate(tmp_path, false_answer={"max": -1}, groundedness={"min": 2}, errors={"max": 0})])
        == 1
    )
    err = capsys.readouterr().err
    assert [line.split(" is ")[0] for line in err.splitlines()] == ["gate: false_answer", "gate: groundedness"]
    assert main([golden, "--gate", gate(tmp_path, nonsense={"max": 1})]) == 2


@pytest.mark.usefixtures("filled")
def test_two_settings_are_compared(golden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deaf = tmp_path / "deaf.env"
    deaf.write_text("DOCENT_MIN_CONFIDENCE=1\n", encoding="utf-8")

    assert main([golden, "--compare", "current", str(deaf), "--json", "--report", "r"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert [run["label"] for run in shown["runs"]] == ["A", "B"]
    difference = shown["differences"]["false_abstain"]
    assert (difference["a"], difference["b"], difference["n"]) == (0, 1, 2)
    assert difference["verdict"] == "no difference shown"  # two questions show nothing
    assert main([golden, "--compare", "DOCENT_TOP_K=1,DOCENT_MIN_CONFIDENCE=0.3", "current", "--no-ask"]) == 0
    assert "B against A" in capsys.readouterr().out


def test_a_server_is_measured(golden: str, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    docent = start()
    docent.upload(("pump.md", PUMP), ("orchard.md", ORCHARD))
    with listening(docent.app) as port:
        url = f"http://127.0.0.1:{port}"

        assert main([golden, "--json", "--server", url]) == 0
        found = figures(capsys)
        assert main([golden, "--json", "--compare", url, url + "/", "--no-ask"]) == 0

        assert found["recall@5"] == found["exact_quotes"] == found["accuracy"] == 1
        assert "evidence_recall" not in found
        assert docent.get("/conversations")["total"] == 0
        capsys.readouterr()
        assert main([golden, "--json", "--collection", "nothing", "--server", url]) == 2
        assert "refuses" in capsys.readouterr().err


def test_the_owner_of_the_data_folder_is_asked(golden: str, start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    docent = start()
    docent.upload(("pump.md", PUMP), ("orchard.md", ORCHARD))

    docent.services.ownership.announce(None)  # as another command would have it open
    assert main([golden]) == 2
    assert "in use by process" in capsys.readouterr().err
    with listening(docent.app) as port:
        docent.services.ownership.announce(f"http://127.0.0.1:{port}")
        assert main([golden, "--json"]) == 0
        out, err = capsys.readouterr()
        assert json.loads(out)["runs"][0]["figures"]["recall@5"]["value"] == 1
        assert "measuring the server at" in err
        assert main([golden, "--compare", "current", "current"]) == 2
        assert main(["draft"]) == 2
        assert "Drafting asks the chat model directly" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent.jsonl"], "cannot be read"),
        (["golden.jsonl", "--server", "http://127.0.0.1:9"], "No server answers"),
        (["golden.jsonl", "--server", "http://x", "--compare", "current", "current"], "leave --server out"),
        (["golden.jsonl", "--compare", "current", "absent.env"], "neither a settings file nor"),
        (["golden.jsonl", "--compare", "DOCENT_NONE=1", "current"], "not a setting"),
        (["golden.jsonl", "--gate", "absent.json"], "cannot be read"),
        (["golden.jsonl", "--collection", "absent"], "no collection"),
        (["draft"], "DOCENT_LLM=extractive has none"),
    ],
)
def test_one_line_says_what_is_wrong(
    arguments: list[str], reason: str, golden: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    err = capsys.readouterr().err
    assert err.startswith("docent: ")
    assert reason in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["g", "--limit", "0"], ["g", "--compare", "a"], ["calibrate", "f", "--out", "o", "--false-abstain", "2"]],
)
def test_usage(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.usefixtures("filled")
def test_gold_files_that_the_collection_lacks_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text('{"question": "Why?", "relevant": ["gone.md"]}\n', encoding="utf-8")

    assert main([str(path), "--no-ask"]) == 0

    assert "the collection has no gone.md, which" in capsys.readouterr().err


@pytest.mark.usefixtures("filled")
def test_drafts_can_be_measured_on_when_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speak_with(
        monkeypatch,
        ScriptedChat("QUESTION: What is changed every March?\nANSWER: oil\nQUOTE: Its oil is changed every March."),
    )

    assert main(["draft", "--count", "2"]) == 0

    out, err = capsys.readouterr()
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert row["draft"] is True
    assert "1 of 2 questions" in err
    path = tmp_path / "draft.jsonl"
    path.write_text(out, encoding="utf-8")
    assert main([str(path), "--no-ask"]) == 2
    assert "--drafts" in capsys.readouterr().err
    assert main([str(path), "--no-ask", "--drafts", "--json"]) == 0
    assert figures(capsys)["span_recall@5"] == 1


def test_a_variant_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCENT_TOP_K", "7")
    monkeypatch.setenv("DOCENT_LLM_MODEL", "m")
    base = Settings.load()

    assert read_variant("current", base) is base
    found = read_variant("DOCENT_TOP_K=5, DOCENT_LLM=openai,DOCENT_CORS_ORIGINS=http://a,http://b", base)
    assert (found.top_k, found.llm, found.llm_model, found.data_dir) == (5, "openai", "m", base.data_dir)
    assert found.cors_origins == ("http://a", "http://b")
    empty = tmp_path / "empty.env"
    empty.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="holds no DOCENT_ lines"):
        read_variant(str(empty), base)


@pytest.fixture
def sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A sentence that its source says, and one whose number is another; judged without a model of entailment."""
    monkeypatch.setattr("cli.evaluation.sentences.open_judges", lambda _settings: nullcontext((HashEmbedder(), None)))
    monkeypatch.setenv("DOCENT_ENTAILMENT_MODEL", "none")
    source = {"n": 1, "file": "pump.md", "heading": None, "text": "The pump in hall four runs at 40 bar."}
    said = [("The pump in hall four runs at 40 bar.", "supported", "copied"), ("It runs at 60 bar.", "wrong", "number")]
    rows = [
        {"id": str(n), "sources": [source], "sentence": text, "cited": [1], "label": label, "kind": kind}
        for n, (text, label, kind) in enumerate(said)
    ]
    path = tmp_path / "sentences.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return str(path)


def test_labelled_sentences_are_judged(sentences: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentences", sentences, "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    kept = {"n": 1, "verified": 1, "consistent": 0, "rejected": 0, "misattributed": 0}
    left = {"n": 1, "verified": 0, "consistent": 0, "rejected": 1, "misattributed": 0}
    assert found == {
        "supported": kept,
        "unsupported": left,
        "kinds": {"supported/copied": kept, "wrong/number": left},
        "entailment": None,
    }
    assert main(["sentences", sentences]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{'supported':<30}n 1  verified 1  consistent 0  rejected 0  misattributed 0"
    assert lines[-1].startswith("entailment: None; text alone p50 ")


def test_measuring_has_a_name_too(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", golden, "--collection", "absent"]) == main([golden, "--collection", "absent"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == second


def test_every_figure_is_documented() -> None:
    from evaluation.gate import GATED
    from evaluation.measures import FIGURES

    text = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for name in {*FIGURES, *GATED}:
        shown = name.partition("@")[0] + "@k" if "@" in name and name != "mrr@10" else name
        assert f"`{shown.removesuffix('_p50').removesuffix('_p95')}`" in text, name


@pytest.mark.usefixtures("filled")
def test_observed_rows_can_be_fitted(
    golden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCENT_LLM", "local")
    speak_with(monkeypatch, ScriptedChat("Yes", "The pump runs at 40 bar. [1]", "Yes", "In late April. [1]", "No"))

    assert main(["observe", golden, "--set", "works"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["set"] for row in rows} == {"works"}
    weighed = [row for row in rows if row["judgement"] == "local"]
    assert [(row["answerable"], row["features"]["gate"]) for row in weighed][:2] == [(True, 1), (True, 1)]
    assert all(row["features"]["gate"] == -1 for row in weighed if not row["answerable"])
    assert [row["answerable"] for row in rows if row["judgement"] == "certainty-local"][:1] == [True]
    early = [row for row in rows if row["judgement"] == "topic"]
    assert early[0]["features"]["coverage"] > early[-1]["features"]["coverage"]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in early), encoding="utf-8")
    out = tmp_path / "fitted.json"
    assert main(["calibrate", str(path), "--features", "coverage,similarity", "--out", str(out)]) == 0
    fitted = json.loads(out.read_text(encoding="utf-8"))["judgements"]
    assert sorted(fitted["topic"]["weights"]) == ["coverage", "similarity"]
    for wrong, reason in (("own,what", "no feature 'own'"), ("model=own", "No row is of the judgement 'model'")):
        assert main(["calibrate", str(path), "--features", wrong, "--out", str(out)]) == 2
        assert reason in capsys.readouterr().err


@pytest.mark.usefixtures("filled")
def test_what_blocks_are_worth_can_be_fitted(golden: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "weights.json"

    assert main(["evidence", f"default={golden}", "--out", str(out)]) == 0

    fitted = json.loads(out.read_text(encoding="utf-8"))
    assert set(fitted["weights"]) == set(FEATURES)
    assert fitted["questions"] > 0
    assert "first three" in capsys.readouterr().out


@pytest.mark.usefixtures("filled")
def test_without_a_model_only_retrieval_is_observed(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", golden]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["judgement"] for row in rows} == {"topic", "extractive", "certainty-extractive"}
    assert {row["set"] for row in rows} == {"golden"}
