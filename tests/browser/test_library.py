"""From an empty library to a full one: uploads with their failures, folders, the list, one document, deletion."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader, PdfWriter

from tests.browser.conftest import PHONE, Open, wait_for_documents
from tests.server_process import PROJECT, ServerProcess, running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.model]
SAMPLES = PROJECT / "data" / "samples"
HOSTILE = "<img src=x onerror=alert(1)>.pdf"
PASSWORD = "a pump's password"
# Chromium does not tell its driver what a multipart body holds.
RECORD_FORMS = """() => {
  window.forms = [];
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (body) { window.forms.push(Object.fromEntries(body)); return send.call(this, body); };
}"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that starts with nothing; the tests of this module fill it, in their order."""
    with running_server(tmp_path_factory.mktemp("fresh"), DOCENT_LLM="extractive") as running:
        running.wait_until(lambda body: body["ready"], 60)
        yield running


def encrypted_pdf() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(SAMPLES / "welcome.pdf"))
    writer.encrypt(PASSWORD, algorithm="AES-256")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files("#files", [{"name": n, "mimeType": "application/octet-stream", "buffer": b} for n, b in files])


def upload_row(page: Page, name: str) -> Any:
    return page.locator("#uploads li").filter(has_text=name)


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders, as a person does: only so does a browser make entries of them."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})


def test_an_empty_library_tells_what_to_do(visit: Open, fresh: ServerProcess) -> None:
    one = visit(fresh.url)
    page = one.go()
    expect(page.locator(".steps li")).to_have_count(3)
    expect(page.locator("#examples")).to_be_hidden()
    one.keep("first-run")
    page.get_by_role("button", name="Try it with the samples").click()
    expect(page.locator("#library tbody tr")).to_have_count(6)
    wait_for_documents(fresh)
    page.goto(fresh.url)
    expect(page.locator("#examples button")).to_have_count(3)
    page.locator("#examples button").first.click()
    page.wait_for_selector(".answer:not([aria-busy]) .chip")


def test_files_are_sent_read_and_fail_with_a_way_out(visit: Open, fresh: ServerProcess) -> None:
    one = visit(fresh.url)
    page = one.go("/#documents")
    welcome = (SAMPLES / "welcome.pdf").read_bytes()
    choose(
        page,
        ("pump.txt", b"The pump in hall four runs at 40 bar."),
        ("locked.pdf", encrypted_pdf()),
        ("broken.pdf", b"%PDF-1.4 nothing"),
        ("empty.txt", b""),
    )
    page.fill("#upload-collection", "hostile")
    choose(page, (HOSTILE, welcome + b"%"))
    expect(upload_row(page, "pump.txt")).to_contain_text("Ready")
    expect(upload_row(page, HOSTILE)).to_contain_text("Ready")
    expect(upload_row(page, "empty.txt")).to_contain_text("The file is empty.")
    expect(upload_row(page, "broken.pdf").locator(".error-text")).not_to_be_empty()
    expect(upload_row(page, "broken.pdf").get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#upload-summary")).to_contain_text("3 failed")
    one.keep("uploads")

    locked = upload_row(page, "locked.pdf")
    expect(locked.locator(".error-text")).to_have_text("The file is encrypted and needs its password.")
    page.evaluate(RECORD_FORMS)
    locked.get_by_label("Password of the file").fill(PASSWORD)
    locked.get_by_role("button", name="Open").click()
    one.until("window.forms.length === 1")
    assert page.evaluate("window.forms[0].password") == PASSWORD
    if '"password"' in fresh.client.get("/openapi.json").text:  # the server takes it
        expect(locked).to_contain_text("Ready")
    expect(locked.locator(".state")).to_have_text(re.compile("Ready|Failed"))
    upload_row(page, "broken.pdf").get_by_role("button", name="Remove").click()
    expect(upload_row(page, "broken.pdf")).to_have_count(0)
    page.get_by_role("button", name="Clear finished").click()
    expect(page.locator("#upload-area")).to_be_hidden()


def test_a_hostile_name_is_harmless_everywhere(visit: Open, fresh: ServerProcess) -> None:
    one = visit(fresh.url)
    one.page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page = one.go("/#documents")
    page.fill("#filter-name", "onerror")
    expect(page.locator("#library tbody tr")).to_have_count(1)
    expect(page.locator("#library .file")).to_have_text(HOSTILE)
    page.locator("#library .file").click()
    expect(page.locator("#document-title")).to_have_text(HOSTILE)
    one.keep("hostile-name")
    address = page.url.split("/")[-1]
    page.goto(fresh.url)
    page.select_option("#collection", "hostile")
    one.ask("How do I see the quoted words of a citation?")
    page.locator(".card", has_text="onerror").first.click()
    expect(page.locator("#panel-title")).to_contain_text(HOSTILE)
    assert page.locator("img[src='x']").count() == 0
    page.goto(f"{fresh.url}/api/v1/documents/{address}/view")
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_a_folder_with_more_than_a_hundred_files(visit: Open, fresh: ServerProcess, tmp_path: Path) -> None:
    for number in range(120):
        place = tmp_path / "notes" / f"part {number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "same.md" if number < 3 else place / f"note-{number}.md").write_text(
            f"# Note {number}\n\nPump {number} runs.\n"
        )
    (tmp_path / "notes" / ".hidden").write_text("not to be sent")
    one = visit(fresh.url)
    page = one.go()
    drop(page, tmp_path / "notes")
    expect(page.locator("#uploads li")).to_have_count(120)
    expect(page.locator("#upload-summary")).to_contain_text("of 120 done", timeout=20_000)
    one.keep("uploads-many")
    expect(page.locator("#upload-summary")).to_have_text("120 of 120 done", timeout=90_000)
    found = fresh.client.get("/api/v1/documents", params={"q": "same.md", "sort": "name"}).json()["data"]
    assert [item["filename"] for item in found] == [f"notes/part {part}/same.md" for part in range(3)]


def test_the_list_is_filtered_sorted_and_deleted_from(visit: Open, fresh: ServerProcess) -> None:
    broken = {"file": ("broken for good.pdf", b"%PDF-1.4 nothing at all")}
    fresh.finish(fresh.client.post("/api/v1/documents", files=broken).json()["job_id"])
    one = visit(fresh.url)
    page = one.go("/#documents")
    page.select_option("#filter-status", "failed")
    expect(page.locator("#library tbody tr", has_text="broken for good.pdf")).to_contain_text("Failed")
    page.select_option("#filter-status", "indexed")
    page.select_option("#sort", "name")
    page.fill("#filter-name", "note-11")
    expect(page.locator("#library tbody tr")).to_have_count(11)
    names = page.locator("#library .file").all_inner_texts()
    assert names == sorted(names)
    one.keep("library")
    page.get_by_role("button", name=f"Delete {names[0]}").click()
    expect(page.locator("#library tbody tr")).to_have_count(10)
    expect(page.locator(".toast")).to_contain_text(f"“{names[0]}” is in the trash.")
    expect(page.locator("#library tbody tr button").first).to_be_focused()
    one.keep("library-undo")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#library tbody tr")).to_have_count(11)
    page.get_by_role("button", name=f"Delete {names[0]}").click()
    expect(page.locator(".toast", has_text="is in the trash.")).to_be_visible()
    page.goto("about:blank")  # leaving the page changes nothing
    page.wait_for_timeout(300)
    found = fresh.client.get("/api/v1/documents", params={"q": names[0], "status": "trashed"}).json()
    assert [item["filename"] for item in found["data"]] == [names[0]]


@pytest.mark.parametrize("viewport", [None, {"width": 820, "height": 1180}, PHONE])
def test_names_keep_their_room_beside_a_failure(visit: Open, fresh: ServerProcess, viewport: Any) -> None:
    """A name without a place to break stays in one line where a line of the page holds it, and nothing scrolls sideways."""
    name = "quarterly_report_hall_four.pdf"
    files = [("file", (name, b"%PDF-1.4 nothing to read")), ("file", ("locked_minutes.pdf", encrypted_pdf() + b"%%"))]
    files += [("file", ("valves.txt", b"Valve 9 opens at 6 bar."))]
    sent = fresh.client.post("/api/v1/documents", files=files, data={"collection": "named"}).json()
    fresh.finish(sent["job_id"])
    one = visit(fresh.url, viewport=viewport)
    page = one.go("/#documents")
    page.select_option("#filter-collection", "named")
    expect(page.locator("#library tbody tr")).to_have_count(3)
    one.keep(f"library-failed-{viewport['width'] if viewport else 'desktop'}")
    link = page.locator("#library .file", has_text=name)
    assert link.evaluate("node => node.getClientRects().length") == 1
    assert page.evaluate(
        "document.querySelector('.table-frame').scrollWidth <= document.querySelector('.table-frame').clientWidth"
    )
    assert page.locator("tr", has_text=name).locator("button").is_visible()
    assert fresh.client.delete("/api/v1/collections/named").status_code == 204


def test_the_trash(visit: Open, fresh: ServerProcess) -> None:
    """What the test before left there, restored; two more, one deleted for good alone and the other with the rest."""
    wait_for_documents(fresh)
    names = sorted(
        item["filename"] for item in fresh.client.get("/api/v1/documents", params={"q": "note-11"}).json()["data"]
    )
    one = visit(fresh.url)
    page = one.go("/#documents")
    for name in names[:2]:
        page.fill("#filter-name", name)
        page.get_by_role("button", name=f"Delete {name}").click()
        expect(page.locator(".toast", has_text=f"“{name}” is in the trash.")).to_be_visible()
    page.fill("#filter-name", "")
    page.get_by_role("link", name="Trash").click()
    expect(page.locator("#library tbody tr")).to_have_count(3)
    expect(page.locator("#filter-status")).to_have_value("trashed")
    expect(page.locator("#library tbody .state").first).to_have_text("In the trash")
    expect(page.get_by_role("link", name="Trash")).to_be_hidden()
    one.keep("trash")

    before = next(name for name in page.locator("#library .file").all_inner_texts() if name not in names)
    page.get_by_role("button", name=f"Restore {before}").click()
    expect(page.locator("#library tbody tr")).to_have_count(2)
    expect(page.locator(".toast", has_text=f"“{before}” is back.")).to_be_visible()

    page.get_by_role("button", name=f"Delete {names[0]} for good").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text(f"Delete “{names[0]}” for good?")
    expect(page.locator("#confirm").get_by_role("button", name="Cancel")).to_be_focused()
    one.keep("trash-confirm")
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(page.locator("#library tbody tr")).to_have_count(2)
    page.get_by_role("button", name=f"Delete {names[0]} for good").click()
    page.locator("#confirm").get_by_role("button", name="Delete for good").click()
    expect(page.locator("#library tbody tr")).to_have_count(1)
    expect(page.locator("#library tbody button").first).to_be_focused()
    assert fresh.client.get("/api/v1/documents", params={"q": names[0], "status": "trashed"}).json()["total"] == 0
    expect(page.locator(".toast", has_text=f"“{names[0]}” is in the trash.")).to_have_count(0)  # no more to undo

    page.locator("#library .file").click()
    expect(page.locator("#document-meta .state")).to_have_text("In the trash")
    expect(page.locator("#document-replace")).to_be_hidden()
    one.keep("document-trashed")
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("#document-meta .state")).to_have_text("Ready")
    expect(page.locator("#document-body")).to_contain_text("Pump")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".toast", has_text=f"“{names[1]}” is in the trash.")).to_be_visible()
    expect(page.locator("#view-documents")).to_be_visible()

    page.goto(f"{fresh.url}/#documents/trash")
    page.reload()
    expect(page.locator("#library tbody tr")).to_have_count(1)
    page.fill("#filter-name", "no such name")
    expect(page.get_by_role("button", name="Empty the trash")).to_be_hidden()  # it would empty more than is shown
    page.fill("#filter-name", "")
    page.get_by_role("button", name="Empty the trash").click()
    expect(page.locator("#confirm")).to_contain_text("Delete the 1 document in the trash for good?")
    page.locator("#confirm").get_by_role("button", name="Delete for good").click()
    expect(page.locator("#library-message")).to_have_text("The trash is empty.")
    expect(page.locator(".toast", has_text="1 document is deleted for good.")).to_be_visible()
    one.keep("trash-empty")
    page.get_by_role("link", name="All documents").first.click()
    expect(page.locator("#filter-status")).to_have_value("")
    expect(page.locator("#library tbody tr").first).to_be_visible()


def test_warnings_and_failures_speak_chinese(visit: Open, fresh: ServerProcess) -> None:
    files = [("file", ("mail.eml", b"No header, only a line.")), ("file", ("bad one.docx", b"PK\x03\x04 nothing"))]
    fresh.finish(fresh.client.post("/api/v1/documents", files=files, data={"collection": "warned"}).json()["job_id"])
    one = visit(fresh.url, locale="zh-CN")
    page = one.go("/#documents")
    page.select_option("#filter-collection", "warned")
    expect(page.locator("#library tbody tr")).to_have_count(2)
    expect(page.locator("tr", has_text="mail.eml")).to_contain_text("文件没有邮件头，已按纯文本读取。")
    expect(page.locator("tr", has_text="bad one.docx").locator(".error-text")).to_contain_text(
        re.compile("[\u4e00-\u9fff]")
    )
    one.keep("library-warnings-chinese")
    assert fresh.client.delete("/api/v1/collections/warned").status_code == 204


def test_what_cannot_be_restored_says_why(visit: Open, fresh: ServerProcess) -> None:
    def sent(content: bytes) -> str:
        taken = fresh.client.post("/api/v1/documents", files={"file": ("two of a name.txt", content)}).json()
        fresh.finish(taken["job_id"])
        return str(taken["documents"][0]["id"])

    old = sent(b"The old pump runs at 30 bar.")
    assert fresh.client.post(f"/api/v1/documents/{old}/trash").status_code == 200
    sent(b"The new pump runs at 50 bar.")
    one = visit(fresh.url, locale="zh-CN", viewport={"width": 390, "height": 844})
    one.expects_messages = True  # the browser notes the refusal
    page = one.go("/#documents/trash")
    expect(page.locator("#library .state")).to_have_text("在回收站中")
    page.get_by_role("button", name="恢复 two of a name.txt").click()
    expect(page.locator(".toast")).to_contain_text("“two of a name.txt”仍在回收站。")
    expect(page.locator("#library tbody tr")).to_have_count(1)
    one.keep("trash-chinese-phone")
    assert fresh.client.delete("/api/v1/trash").json() == {"deleted": 1}


def test_one_document(visit: Open, fresh: ServerProcess) -> None:
    guide = fresh.client.get("/api/v1/documents", params={"q": "welcome.pdf", "status": "indexed"}).json()["data"][0]
    one = visit(fresh.url)
    page = one.go()
    one.ask("How do I see the quoted words of a citation?")
    page.goto(f"{fresh.url}/#document/{guide['id']}")
    expect(page.locator("#document-title")).to_have_text("welcome.pdf")
    expect(page.locator("#document-body h2").first).to_be_visible()
    one.keep("document")
    page.get_by_role("button", name="What a citation is").click()
    expect(page.locator(".goal")).to_have_text("What a citation is")
    page.get_by_role("tab", name="Pages").click()
    one.until("document.querySelector('#document-body img')?.complete ?? false")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#document-body img")).to_have_attribute("src", f"/api/v1/documents/{guide['id']}/pages/2.png?")
    one.keep("document-pages")
    page.get_by_role("tab", name="Chunks").click()
    expect(page.locator(".chunks li")).to_have_count(guide["chunks"])
    one.keep("document-chunks")
    page.get_by_role("tab", name="Cited in").click()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Chunks")).to_be_focused()
    page.get_by_role("tab", name="Cited in").click()
    page.locator(".chunks a").first.click()
    expect(page.locator("#thread .question").first).to_be_visible()
    page.goto(f"{fresh.url}/#document/{guide['id']}")
    expect(page.locator("#document-title")).to_have_text("welcome.pdf")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "welcome.pdf"

    pump = fresh.client.get("/api/v1/documents", params={"q": "pump.txt"}).json()["data"][0]
    page.goto(f"{fresh.url}/#document/{pump['id']}")
    expect(page.locator("#document-title")).to_have_text("pump.txt")
    page.set_input_files(
        "#replacement", [{"name": "new.txt", "mimeType": "text/plain", "buffer": b"It runs at 50 bar now."}]
    )
    expect(upload_row(page, "pump.txt")).to_contain_text("Ready")
    (now_there,) = fresh.client.get("/api/v1/documents", params={"q": "pump.txt"}).json()["data"]
    assert "50 bar" in fresh.client.get(f"/api/v1/documents/{now_there['id']}/text").text


def test_a_failed_document_is_opened_later(visit: Open, fresh: ServerProcess) -> None:
    if "/api/v1/documents/{document_id}/retry" not in fresh.client.get("/openapi.json").json()["paths"]:
        pytest.skip("this server cannot try a single document again")
    taken = fresh.client.post("/api/v1/documents", files={"file": ("locked later.pdf", encrypted_pdf() + b"%")}).json()
    fresh.finish(taken["job_id"])
    one = visit(fresh.url)
    page = one.go(f"/#document/{taken['documents'][0]['id']}")
    expect(page.locator("#document-meta .error-text")).to_have_text("The file is encrypted and needs its password.")
    one.keep("document-locked")
    page.get_by_label("Password of the file").fill(PASSWORD)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#document-meta .state")).to_have_text("Ready")
    expect(page.locator("#document-body h2").first).to_be_visible()


def test_collections(visit: Open, fresh: ServerProcess) -> None:
    one = visit(fresh.url)
    page = one.go("/#documents")
    page.fill("#upload-collection", "pumps")
    choose(page, ("valve.txt", b"The valve of hall five opens at 6 bar."))
    expect(upload_row(page, "valve.txt")).to_contain_text("Ready")
    document = fresh.client.get("/api/v1/documents", params={"collection": "pumps"}).json()["data"][0]
    page.goto(f"{fresh.url}/#document/{document['id']}")
    page.get_by_label("Collection", exact=True).last.select_option("hostile")
    expect(page.locator(".toast")).to_contain_text("Moved to “hostile”")
    page.goto(f"{fresh.url}/#documents")
    page.select_option("#filter-collection", "hostile")
    expect(page.locator("#library tbody tr")).to_have_count(2)
    one.keep("library-collection")
    page.get_by_role("button", name="Delete this collection").click()
    expect(page.locator("#library tbody")).not_to_contain_text("valve.txt")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#library tbody")).to_contain_text("valve.txt")
    page.select_option("#filter-collection", "hostile")
    page.get_by_role("button", name="Delete this collection").click()
    page.goto("about:blank")
    for _ in range(50):
        if fresh.client.get("/api/v1/collections/hostile").status_code == 404:
            break
        page.wait_for_timeout(100)
    else:
        raise AssertionError("the collection is still there")


@pytest.mark.parametrize(
    ("locale", "what_to_do", "collection"),
    [
        ("en-GB", "Save it without one and upload it again.", "locked-en"),
        ("zh-CN", "请另存一份不带密码的副本", "locked-zh"),
    ],
)
def test_a_locked_office_file_gets_no_password_field(
    visit: Open, fresh: ServerProcess, locale: str, what_to_do: str, collection: str
) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100) + "EncryptedPackage".encode("utf-16-le")
    one = visit(fresh.url, locale=locale)
    page = one.go("/#documents")
    page.fill("#upload-collection", collection)
    names = [f"locked {locale}{extension}" for extension in (".docx", ".xlsx", ".pptx")]
    choose(page, *((name, ole + name.encode()) for name in names))
    for name in names:
        row = upload_row(page, name)
        expect(row.locator(".error-text")).to_contain_text(what_to_do)
        expect(row.locator("input, form")).to_have_count(0)
        expect(row.get_by_role("button")).to_have_count(1)  # to remove it

    document = fresh.client.get("/api/v1/documents", params={"collection": collection}).json()["data"][0]
    page.goto(f"{fresh.url}/#document/{document['id']}")
    expect(page.locator("#document-meta .error-text")).to_contain_text(what_to_do)
    expect(page.locator("#document-meta input[type=password], #document-meta form")).to_have_count(0)
