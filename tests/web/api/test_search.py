"""Search: modes, filters, the shape of passages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.conftest import API, CHINESE, ORCHARD, PUMP, Docent, Start, assert_error


@pytest.fixture(scope="module")
def stocked(start_once: Start) -> Docent:
    """A server with documents in several collections."""
    docent = start_once()
    docent.upload(("pump.txt", PUMP), ("orchard.txt", ORCHARD))
    docent.upload(("trees.txt", "The trees of the garden are old."), collection="garden")
    docent.upload(("报告.txt", CHINESE), ("果园.txt", "果园里的苹果树四月开花。"), collection="中文")
    docent.upload(("pump.txt", PUMP), collection="filtered")
    oil = "The oil of the pump is changed every March."
    docent.upload(("oil.md", oil), metadata='{"team": "north"}', collection="filtered")
    return docent


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_each_mode_finds_and_scores(stocked: Docent, mode: str) -> None:
    docent = stocked
    (pump,) = docent.get("/documents", collection="default", q="pump")["data"]

    passages = docent.search("pump bar", mode=mode, top_k=2)

    first = passages[0]
    text = docent.client.get(f"{API}/documents/{pump['id']}/text").text
    assert (first["document_id"], first["filename"], first["collection"]) == (pump["id"], "pump.txt", "default")
    assert first["text"] == text[first["char_start"] : first["char_end"]]
    assert 0 <= first["score"] <= 1
    assert [passage["score"] for passage in passages] == sorted((p["score"] for p in passages), reverse=True)
    assert (first["scores"]["dense"] is None) == (mode == "lexical")
    assert (first["scores"]["lexical"] is None) == (mode == "dense")
    assert {"chunk_id", "page", "page_end", "heading"} <= set(first)


def test_chinese_is_found_by_its_words(stocked: Docent) -> None:
    chinese = {"collections": ["中文"]}

    assert stocked.search("水泵的压力是多少？", **chinese)[0]["filename"] == "报告.txt"
    assert stocked.search("苹果", mode="lexical", **chinese)[0]["filename"] == "果园.txt"


def test_top_k_and_timings(docent: Docent) -> None:
    docent.upload(*[(f"{n}.txt", f"{PUMP} Number {n}.") for n in range(6)])

    response = docent.client.post(f"{API}/search", json={"query": "pump", "top_k": 3}).get_json()

    assert len(response["passages"]) == 3
    assert set(response["timings"]) == {"embed_ms", "dense_ms", "lexical_ms", "rerank_ms", "total_ms"}
    assert all(value >= 0 for value in response["timings"].values())


def test_the_same_text_is_shown_once(docent: Docent) -> None:
    docent.upload(("a.txt", PUMP), ("b.txt", PUMP + "\n"))

    assert len(docent.search("pump bar")) == 1


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"filename": "pump.txt"}, {"pump.txt"}),
        ({"filename": ["pump.txt", "oil.md"]}, {"pump.txt", "oil.md"}),
        ({"media_type": "text/markdown"}, {"oil.md"}),
        ({"team": "north"}, {"oil.md"}),
        ({"team": "south"}, set()),
        ({"team": "north", "filename": "pump.txt"}, set()),
        ({"nothing": "x"}, set()),
        ({"filename": 7}, set()),
        ({"filename": 10**30}, set()),
        ({"filename": "' OR 1=1 --"}, set()),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_filters(stocked: Docent, filters: dict[str, Any], found: set[str], mode: str) -> None:
    passages = stocked.search("pump oil", filters=filters, mode=mode, collections=["filtered"])

    assert {passage["filename"] for passage in passages} == found


def test_several_collections_are_searched_as_one(stocked: Docent) -> None:
    both = {passage["collection"] for passage in stocked.search("pump trees", collections=["default", "garden"])}

    assert both == {"default", "garden"}


def test_an_empty_server_finds_nothing(docent: Docent) -> None:
    assert docent.search("anything") == []


@pytest.mark.parametrize(
    "query", ['"', "pump AND", "NEAR(a b)", "*", "a:b", "-", "'); DROP TABLE chunks;--", "？！", "𰀀", "🚰"]
)
@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_no_query_is_read_as_syntax(stocked: Docent, query: str, mode: str) -> None:
    stocked.search(query, mode=mode)

    assert stocked.search("pump")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": ""}, "empty_question"),
        ({"query": " \n "}, "empty_question"),
        ({"query": "x " * 50_000}, "question_too_long"),
        ({"query": "pump", "collections": ["nowhere"]}, "collection_not_found"),
        ({"query": "pump", "collections": []}, "validation"),
        ({"query": "pump", "top_k": 0}, "validation"),
        ({"query": "pump", "top_k": 101}, "validation"),
        ({"query": "pump", "top_k": "10"}, "validation"),
        ({"query": "pump", "mode": "psychic"}, "validation"),
        ({"query": 7}, "validation"),
        ({"query": None}, "validation"),
        ({"query": "pump", "filters": []}, "validation"),
        ({"query": "pump", "filters": {"team": {"a": 1}}}, "invalid_request"),
        ({"query": "pump", "unknown": 1}, "validation"),
        ({"query": "\ud800"}, "validation"),
        ({"query": "pump", "filters": {"team": "\ud800"}}, "validation"),
        ({}, "validation"),
    ],
)
def test_bad_searches_are_refused(stocked: Docent, body: dict[str, Any], code: str) -> None:
    status = 404 if code == "collection_not_found" else 400
    response = stocked.client.post(f"{API}/search", data=json.dumps(body), content_type="application/json")
    error = assert_error(response, status, code)
    if "unknown" in body:
        assert "unknown" in error["message"]


def test_nul_in_a_query_is_white_space(stocked: Docent) -> None:
    assert stocked.search("pump\x00bar")[0]["filename"] == "pump.txt"
