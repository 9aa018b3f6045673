"""What headings and a file's name tell of which document a question means."""

from __future__ import annotations

import pytest

from rag.retrieval.passage_features import Wanted, features, like_named_files
from tests.rag.passages import passage

PLANS = ["Acme_Health_Plus_Plan.pdf", "Acme_Standard_Plan.pdf", "Perks.pdf"]
RARE, COMMON = 3.0, 0.1
YEARS = ["年度报告2023.pdf", "年度报告2024.pdf"]


@pytest.mark.parametrize(
    ("question", "files", "like_named"),
    [
        ("What does Acme Health Plus cover?", PLANS, {PLANS[1]}),
        ("What does the Acme Standard plan cover?", PLANS, {PLANS[0]}),
        ("What does Acme Health cover?", PLANS, set()),
        ("How do Acme Standard and Acme Health Plus differ?", PLANS, set()),
        ("What perks are there?", PLANS, set()),
        ("2024年的收入是多少？", YEARS, {YEARS[0]}),
        ("收入是多少？", YEARS, set()),
        ("How does pricing work?", ["docs-site#pricing.md", "docs-site#examples.md"], set()),
        ("How did revenue develop between 2021 and 2024?", [f"report-{year}.pdf" for year in range(2019, 2026)], set()),
        ("What do Plus and Standard cover?", ["Acme_Plus_Plan.pdf", "Acme_Standard_Plan_2024.pdf"], set()),
        ("What happened on 3 May 2021?", ["chapter 3.md", "chapter 4.md"], set()),
        ("What changed in 2024?", ["notes 2024", "notes 2023"], {"notes 2023"}),
        ("What was earned in 2024?", ["report.pdf", "report-2024.pdf"], set()),
        ("What was earned in 2024?", ["sales-2024.pdf", "staff-2023.pdf", "sales-2024.pdf"], set()),
        ("What does the Acme Standard health plan cover?", PLANS, {PLANS[0]}),
        ("How does Acme Standard differ from the plus plan?", PLANS, set()),
    ],
)
def test_a_question_tells_files_of_like_names_apart(question: str, files: list[str], like_named: set[str]) -> None:
    wanted = Wanted.of(question)
    idf = {term: COMMON if term in ("health", "plan") else RARE for term in wanted.terms}

    assert like_named_files(wanted, files, idf) == like_named


def test_a_heading_that_is_all_asked_for_counts_more_than_one_that_says_more() -> None:
    wanted = Wanted.of("Who is the manager of human resources?")
    idf = dict.fromkeys(wanted.terms, RARE)

    exact, more, none, outer = (
        features(wanted, idf, passage("Plans the work of the department.", heading=heading))["headed"]
        for heading in (
            "Roles > Manager of Human Resources",
            "Roles > Senior Manager of Human Resources",
            None,
            "Manager of Human Resources > Duties",
        )
    )

    assert (exact, more, none, outer) == (pytest.approx(3 / 4), pytest.approx(3 / 5), 0.0, 0.0)


def test_what_the_file_is_called_and_whether_it_is_meant() -> None:
    wanted = Wanted.of("What does the Acme Plus plan cover?")
    idf = dict.fromkeys(wanted.terms, RARE)
    found = features(wanted, idf, passage("It covers teeth.", name="Acme_Standard_Plan"), {"Acme_Standard_Plan.txt"})

    assert found["like_named"] == 1.0
    assert found["subject"] == pytest.approx(2 / len(wanted.terms))
    assert found["names"] == pytest.approx(1 / 2)
    assert features(wanted, idf, passage("It covers teeth.", name="x"))["like_named"] == 0.0
