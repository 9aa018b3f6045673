"""Warnings about documents in the page's language: every one that a reader can give is told, and has a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.readers.warnings import PHRASES, WARNINGS, named, numbered, sentence
from rag import errors
from tests.web.conftest import Docent
from web.i18n import WARNING, catalogue, translate
from web.warning_codes import notice_of

PROJECT = Path(__file__).resolve().parents[2]
PLACES: dict[str, Any] = {
    "names": "a (from row 4) of it.pdf, 名字.doc", "name": "Sheet 1", "numbers": "2-4, 9", "extension": ".txt", "type": "PDF",
    "reason": "Expecting value: line 1 column 1 (char 0)", "limit": 2000, "row": 17, "bad": 3,
}  # fmt: skip
LATIN_IN_CHINESE = {
    "JSON",
    "OCR",
    "PDF",
    "XFA",
    "Adobe",
    "DOCENT_OCR",
    "auto",
    "rapidocr",
    "tesseract-ocr",
    "tesseract-ocr-chi-sim",
}


def forms() -> Iterator[tuple[str, int]]:
    for key, template in WARNINGS.items():
        yield key, 1
        if isinstance(template, tuple) or "{n}" in template:
            yield key, 12


def as_lists(found: Any) -> Any:
    return {key: list(text) if isinstance(text, tuple) else text for key, text in found.items()}


def calls() -> Iterator[ast.Call]:
    """Every `….warn(…)` of a reader, and every `sentence(…)`."""
    for path in sorted((PROJECT / "ingest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "warn":
                yield node


def test_readers_and_page_have_the_same_templates() -> None:
    known = {key.removeprefix(WARNING): text for key, text in catalogue("en").items() if key.startswith(WARNING)}
    assert known == as_lists({**WARNINGS, **PHRASES})


def test_readers_give_no_warning_that_is_not_listed_and_none_is_idle() -> None:
    given: set[str] = {"named_otherwise", "named_without"}  # of registry.py, which has no builder
    for call in calls():
        key = call.args[0]
        if isinstance(key, ast.JoinedStr):
            stem = str(getattr(key.values[0], "value", None))
            given |= {known for known in WARNINGS if known.startswith(stem)}
        else:
            assert isinstance(key, ast.Constant), ast.unparse(call)
            given.add(str(key.value))
    assert given == set(WARNINGS)


@pytest.mark.parametrize(("key", "n"), list(forms()))
def test_every_warning_is_told_and_worded(key: str, n: int) -> None:
    text = sentence(key, n=n, **PLACES)

    found = notice_of(text)

    assert found is not None
    assert found["key"] == key
    places = set(re.findall(r"\{(\w+)\}", str(WARNINGS[key])))
    expected = {place: {**PLACES, "n": n}[place] for place in places}
    if "names" in expected:
        expected["names"] = ["a", {"key": "from_row", "values": {"row": 4}}, " of it.pdf, 名字.doc"]
    values = {place: value for place, value in found["values"].items() if place in places}
    assert values == expected
    chinese = translate("zh", WARNING + key, **{**dict.fromkeys(places, ""), "n": n})
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert set(re.findall(r"[A-Za-z][\w-]+", chinese)) <= LATIN_IN_CHINESE


def test_lists_are_taken_apart_and_numbers_stay_names() -> None:
    many = sentence("attachments", names=named(["2024", *(f"file {n}.pdf" for n in range(12))]))
    found = notice_of(many)
    assert found is not None
    assert found["values"]["names"][1] == {"key": "and_more", "values": {"more": 3}}
    alone = notice_of(sentence("attachments", names="2024"))
    assert alone == {"key": "attachments", "values": {"names": "2024"}}
    pages = notice_of(sentence("pages_damaged", **numbered([0, 1, 2, 8])))
    assert pages == {"key": "pages_damaged", "values": {"n": 2, "numbers": "1-3, 9"}}
    assert sentence("pages_damaged", **numbered([4])) == "Damaged and left out: page 5."


def test_another_sentence_is_no_notice() -> None:
    assert notice_of("Something that no reader says.") is None
    assert notice_of("") is None


def test_documents_bring_their_notices(docent: Docent) -> None:
    (found,) = docent.upload(("a.eml", b"no header at all, only a line"))
    assert found["warnings"] == ["The file has no header of an e-mail; it was read as plain text."]
    assert found["notices"] == [{"key": "not_email", "values": {}}]


def test_every_reason_of_a_failure_has_a_text() -> None:
    """Any code that is written in `ingest`, and those of the classes that it raises."""
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DocentError)
    }
    for path in sorted((PROJECT / "ingest").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                codes.add(str(node.value.value))
    codes |= {"embedding_model_mismatch", "recipe_mismatch"}  # of rag, while a document is embedded
    # of no document: of settings, a data folder, a question, a request; or worded by the status of the answer (api.js)
    never = {"configuration", "data_folder_in_use", "llm_unavailable", "invalid_request", "not_found", "validation"}
    never |= {"loading", "queue_full"}
    missing = {code for code in codes - never if f"error.code.{code}" not in catalogue("zh")}
    assert not missing
