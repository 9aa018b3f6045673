"""What is read: answers with lists, code and tables, also while they grow; sources; doubts and refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import expect

from app import create_app
from rag.types import Abstention, Certainty, CheckedBy, Verdict
from tests.browser.conftest import PHONE, Open
from tests.told import Said, Told, ToldAnswerer
from tests.web.conftest import Docent, listening, servers

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MANUAL = """# Docent CLI

Install the command with `pip install docent-cli` (see [releases](https://example.org/releases)).

## Backing up

To back up a library, stop the server first. Then follow **these steps**:

1. Stop the server with `docent stop`.
2. Copy the data folder:

   ```bash
   rsync -a /var/lib/docent/ /mnt/backup/docent/
   docent verify --data /mnt/backup/docent
   ```
3. Start the server again.

| Option | Default | Meaning |
|---|---|---|
| `--data` | `/var/lib/docent` | folder of the library |
| `--keep` | 7 | days that old backups are kept |
"""
CHINESE = (
    "# 备份指南\n\n备份之前请先停止服务。备份保留 7 天。\n\n- 用 `docent stop` 停止服务\n- 用 rsync 复制数据目录\n"
)
BACKUP, RESTORE, NOBODY, IN_CHINESE = "How do I back up?", "Can I restore?", "Who painted the Mona Lisa?", "怎么备份？"
ANSWERS = {
    BACKUP: Told(
        [
            Said("Stop the server first.", cites="stop the server first", gap="\n\n"),
            Said("1. Stop it with `docent stop`.", cites="`docent stop`", gap="\n"),
            Said(
                "2. Copy the data folder:\n\n   ```bash\n   rsync -a /var/lib/docent/ /mnt/backup/docent/ --exclude='*.tmp' "
                "--human-readable --progress --partial # [1]\n   docent verify --data /mnt/backup/docent\n   ```",
                Verdict.VERIFIED,
                CheckedBy.MODEL,
                gap="\n",
                cites="docent verify --data /mnt/backup/docent",
            ),
            Said("3. Start it **again**.", Verdict.CONSISTENT, gap="\n\n"),
            Said("These options help:", Verdict.UNCITED, None, gap="\n\n"),
            Said(
                "| Option | Meaning |\n|---|---|\n| `--keep` | days that old backups are kept |",
                Verdict.MISATTRIBUTED,
                gap="\n\n",
                cites="days that old backups are kept",
            ),
            Said("More is at https://example.org/releases.", cites="https://example.org/releases"),
        ]
    ),
    RESTORE: Told(
        [
            Said("A restore can be started again.", Verdict.CONSISTENT),
            Said("It takes 9 hours.", Verdict.UNSUPPORTED, None),
        ],
        Certainty.LOW,
    ),
    NOBODY: Told([Said("I found nothing about this in the documents.")], reason=Abstention.NO_EVIDENCE),
    IN_CHINESE: Told(
        [
            Said("备份之前请先停止服务：", cites="备份之前请先停止服务", gap="\n\n"),
            Said("1. 用 `docent stop` 停止服务。", gap="\n"),
            Said("2. 复制数据目录。", Verdict.CONSISTENT, gap="\n\n"),
            Said("| 选项 | 默认值 |\n|---|---|\n| `--keep` | 7 天 |", Verdict.VERIFIED, CheckedBy.MODEL),
        ],
        Certainty.LOW,
    ),
}


@dataclass
class Library:
    """A server whose answers are told, and where it is."""

    docent: Docent
    told: ToldAnswerer
    url: str


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with servers(tmp_path_factory.mktemp("reading")) as start:
        docent = start()
        docent.upload(("cli.md", MANUAL), ("beifen.md", CHINESE), ("notes.txt", "The archive box stands in room 4."))
        told = ToldAnswerer(docent.services.retriever)
        told.answers = ANSWERS
        app = create_app(services=replace(docent.services, answerer=told))  # type: ignore[arg-type]
        with listening(app) as port:
            yield Library(docent, told, f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_with_steps_code_and_a_table(visit: Open, library: Library, scheme: str) -> None:
    one = visit(library.url, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"])
    page = one.go()
    one.ask(BACKUP)
    answer = page.locator(".answer")
    expect(answer.locator("ol > li")).to_have_count(3)
    expect(answer.locator("ol")).to_have_count(1)
    expect(answer.locator("li code").first).to_have_text("docent stop")
    expect(answer.locator("td").last).to_contain_text("days that old backups are kept")
    expect(answer.locator("strong")).to_have_text("again")
    code = answer.locator("pre")
    expect(code).to_contain_text("--partial # [1]\ndocent verify")
    expect(code.locator(".chip, .verdict")).to_have_count(0)
    assert page.evaluate(
        "(() => { const pre = document.querySelector('.answer pre'); return pre.scrollWidth > pre.clientWidth; })()"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "only the code scrolls"
    answer.get_by_role("button", name="Copy this code").click()
    one.until("async () => (await navigator.clipboard.readText()).startsWith('rsync -a')")
    assert "verified" not in page.evaluate("navigator.clipboard.readText()")
    link = answer.locator("a")
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    expect(answer.locator(".chip")).to_have_count(6)
    one.keep(f"answer-with-code-{scheme}")


def test_verdicts_are_told_in_words(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    one.ask(BACKUP)
    words = [text.replace("\u00a0", " ") for text in page.locator(".answer .verdict").all_inner_texts()]
    assert words == [
        "✓ verified",
        "✓ verified",
        "✓ verified by a model",
        "≈ consistent",
        "○ uncited",
        "⇄ citation corrected",
        "✓ verified",
    ]
    expect(page.locator(".summary")).to_contain_text("5 of 7 sentences verified in the documents · 1 sentence agrees")
    expect(page.locator(".caveat")).to_have_count(0)
    page.click("#open-help")
    for named in ("verified by a model", "consistent", "citation corrected", "Not certain"):
        expect(page.locator("#help")).to_contain_text(named)
    one.keep("help-with-verdicts")


def test_it_is_read_as_markdown_while_it_grows(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    library.told.delay = 0.04
    try:
        page.fill("#question", BACKUP)
        page.press("#question", "Enter")
        expect(page.locator(".answer[aria-busy] ol > li").nth(1)).to_be_visible()
        chip = page.locator(".answer[aria-busy] .chip").first
        page.evaluate("window.kept = document.querySelector('.answer .chip')")
        expect(page.locator(".answer[aria-busy] pre")).to_contain_text("rsync")
        assert "`" not in page.locator(".answer").inner_text()
        assert "**" not in page.locator(".answer").inner_text()
        chip.click()
        expect(page.locator("#panel")).to_be_visible()
        one.keep("growing-with-code")
        page.locator(".answer:not([aria-busy])").wait_for()
        assert page.evaluate("window.kept.isConnected"), "what stays is left alone"
    finally:
        library.told.delay = 0.0
    expect(page.locator(".answer table")).to_be_visible()


def test_a_source_is_shown_as_what_it_means(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    one.ask(BACKUP)
    page.locator(".answer .chip").nth(2).click()
    panel = page.locator("#panel-body")
    expect(panel.locator("mark")).to_have_text("docent verify --data /mnt/backup/docent")
    expect(panel.locator("pre mark")).to_have_count(1)
    expect(panel.locator("h3")).to_have_text("Backing up")
    expect(panel.locator("th")).to_have_text(["Option", "Default", "Meaning"])
    expect(panel.locator("ol > li")).to_have_count(3)
    text = panel.inner_text()
    assert not re.search(r"```|\*\*|\|---|^#", text, flags=re.MULTILINE)
    assert page.evaluate(
        """(() => { const mark = document.querySelector('#panel-body mark').getBoundingClientRect();
        const body = document.getElementById('panel-body').getBoundingClientRect();
        return mark.top >= body.top && mark.bottom <= body.bottom; })()"""
    )
    one.keep("source-as-markdown")
    page.keyboard.press("n")
    one.until("document.querySelectorAll('#panel-body mark').length > 3")  # a whole passage, through all its markup
    assert "**" not in "".join(page.locator("#panel-body mark").all_inner_texts())
    page.keyboard.press("Escape")
    of_table = page.locator(".answer .chip").nth(4)
    of_table.evaluate("node => node.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(300)  # a page that scrolls shows no preview
    of_table.hover()
    expect(page.locator("#preview td mark")).to_have_text("days that old backups are kept")
    one.keep("preview-of-a-table")


def test_the_document_page_and_the_whole_text(visit: Open, library: Library) -> None:
    one = visit(library.url)
    identity = library.docent.get("/documents", q="cli.md")["data"][0]["id"]
    page = one.go(f"/#document/{identity}")
    expect(page.locator("#document-body pre")).to_contain_text("rsync -a")
    expect(page.locator("#document-body h2")).to_have_text("Docent CLI")
    page.locator("#document-outline button", has_text="Backing up").click()
    expect(page.locator("#document-body .goal")).to_have_text("Backing up")
    page.evaluate("scrollTo(0, 0)")
    one.keep("document-as-markdown")
    at = MANUAL.index("these steps")
    one.go(f"/api/v1/documents/{identity}/view?highlight={at}-{at + 11}")
    expect(page.locator("#cited")).to_have_text("these steps")
    one.keep("view-as-markdown")


def test_an_answer_that_is_not_certain_says_so(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    one.ask(RESTORE)
    expect(page.get_by_role("note")).to_contain_text(
        "Not certain The documents suggest this, but do not say it outright."
    )
    expect(page.locator(".strip .label")).to_contain_text("and the passages that come closest")
    assert page.locator(".card").count() >= 3
    expect(page.locator("#announce")).to_contain_text("Not certain")
    one.keep("not-certain")
    page.reload()
    expect(page.get_by_role("note")).to_contain_text("Not certain")
    assert page.locator(".card").count() >= 3, "remembered with it"


def test_a_decline_shows_a_way_on(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    one.ask(NOBODY)
    expect(page.locator(".not-answered")).to_have_text("I found nothing about this in the documents.")
    order = page.evaluate("[...document.querySelector('.turn').children].map(node => node.className.split(' ')[0])")
    assert order == ["question", "answer", "strip", "after"]
    expect(page.locator(".nearest .label")).to_contain_text("These passages come closest.")
    one.keep("declined")
    page.locator(".nearest .card", has_text="notes.txt").click()
    expect(page.locator("#panel-body mark")).to_have_text("The archive box stands in room 4.")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(".nearest .card").first).to_be_visible()
    page.get_by_role("button", name="See what the model would say").click()
    expect(page.locator("#thread > li")).to_have_count(2)
    one.until("document.querySelectorAll('.answer:not([aria-busy])').length === 2")
    assert library.told.asked[-1].answers == "open"
    assert page.locator("#answers").input_value() == "balanced", "once, not from now on"


def test_how_cautious_to_be_is_chosen_and_remembered(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    expect(page.locator("#answers")).to_have_value("balanced")
    one.ask(RESTORE)
    expect(page.locator(".claim")).to_have_count(0)
    page.get_by_role("combobox", name="Answer").select_option(label="everything, marked")
    page.reload()
    expect(page.locator("#answers")).to_have_value("open")
    page.click("#new-conversation")
    one.ask(RESTORE)
    assert library.told.asked[-1].answers == "open"
    expect(page.locator(".claim")).to_have_text("It takes 9 hours. ")
    expect(page.locator(".answer .verdict").last).to_contain_text("unsupported")
    expect(page.locator(".claims")).to_contain_text("1 sentence has no support in the documents")
    one.keep("everything-marked")


@pytest.mark.parametrize("viewport", [None, PHONE])
def test_in_chinese(visit: Open, library: Library, viewport: dict[str, int] | None) -> None:
    one = visit(library.url, viewport=viewport, locale="zh-CN", color_scheme="dark")
    page = one.go()
    one.ask(IN_CHINESE)
    expect(page.locator(".caveat")).to_contain_text("不完全确定")
    words = [text.replace("\u00a0", " ") for text in page.locator(".answer .verdict").all_inner_texts()]
    assert words == ["✓ 已核实", "✓ 已核实", "≈ 相符", "✓ 模型核实"]
    expect(page.locator(".answer td code")).to_have_text("--keep")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one.keep("answer-in-chinese-phone" if viewport else "answer-in-chinese")


def test_an_empty_page_knows_the_library(visit: Open, library: Library) -> None:
    one = visit(library.url)
    page = one.go()
    expect(page.locator("#read")).to_contain_text("Docent has read 3 documents")
    starts = page.locator("#starts button")
    expect(starts).to_have_text(["What does “cli.md” say about “Backing up”?"])
    library.told.answers["What does “cli.md” say about “Backing up”?"] = ANSWERS[BACKUP]
    one.keep("empty-with-a-library")
    starts.first.click()
    expect(page.locator(".question")).to_have_text("What does “cli.md” say about “Backing up”?")
