"""The pages for people: the application's page, the API reference and signing in."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

import web.pages
from rag.settings import PREFIX, PROJECT_DIR, Settings
from web.api_docs import reference_groups
from web.i18n import catalogue
from web.pages import TOKEN_COOKIE, pages_blueprint

TOKEN = "a-long-token-with-ü-in-it"
STATIC = Path(web.pages.__file__).parent / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
SPEC: dict[str, Any] = {
    "info": {"title": "Docent", "version": "1.2.3", "description": "Tests <b>only</b>."},
    "tags": [{"name": "Documents", "description": "Uploads."}, {"name": "Unused"}],
    "paths": {
        "/api/v1/documents": {
            "post": {
                "tags": ["Documents"],
                "summary": "Upload",
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "required": ["file"],
                                "properties": {
                                    "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                                },
                            }
                        }
                    }
                },
                "responses": {
                    "202": {
                        "description": "Accepted",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
                    }
                },
            }
        },
        "/api/v1/documents/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "delete": {"summary": "Delete", "responses": {204: {"description": "Gone"}}},
        },
        "/api/v1/ask": {
            "post": {
                "tags": ["Ask"],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}}}},
                "responses": {},
            }
        },
    },
    "components": {
        "schemas": {
            "Receipt": {"properties": {"documents": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}},
            "Node": {
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "description": "Its <id>"},
                    "parent": {"anyOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
                },
            },
            "Question": {
                "required": ["question", "mode"],
                "properties": {
                    "question": {"type": "string", "examples": ["What's new?"]},
                    "mode": {"$ref": "#/components/schemas/Mode"},
                    "top_k": {"type": "integer", "default": 10},
                },
            },
            "Mode": {"type": "string", "enum": ["hybrid", "dense"]},
        }
    },
}


def client_of(*, api_token: str = "", max_upload_mb: int = 64) -> FlaskClient:
    app = Flask("pages-only", static_folder=None)
    app.register_blueprint(pages_blueprint(spec=lambda: SPEC, api_token=api_token, max_upload_mb=max_upload_mb))
    return app.test_client()


@pytest.fixture
def client() -> FlaskClient:
    return client_of()


@pytest.fixture
def locked() -> FlaskClient:
    return client_of(api_token=TOKEN)


class Markup(HTMLParser):
    """Collects start tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def addresses(self) -> Iterator[str]:
        for _, attributes in self.tags:
            yield from (value for name in ("src", "href", "action") if (value := attributes.get(name)))


def pages(client: FlaskClient) -> dict[str, str]:
    return {path: client.get(path).get_data(as_text=True) for path in ("/", "/docs")}


def test_pages_keep_to_the_content_security_policy(client: FlaskClient, locked: FlaskClient) -> None:
    for path, html in {**pages(client), "/login": locked.get("/login").get_data(as_text=True)}.items():
        markup = Markup(html)
        for tag, attributes in markup.tags:
            assert tag != "style", path
            assert "style" not in attributes, path
            assert not [name for name in attributes if name.startswith("on")], path
            assert tag != "script" or attributes.get("src") or attributes.get("type") == "application/json", path
        assert all(
            address.startswith(("/", "#", "?")) and not address.startswith("//") for address in markup.addresses()
        )


def imported(script: Path) -> list[str]:
    """What a script imports at its top, or later by a table of names."""
    return re.findall(r'(?:from|documents:|document:|settings:) "(\.[\w./]+)"', script.read_text(encoding="utf-8"))


def test_every_file_that_a_page_or_script_names_exists(client: FlaskClient) -> None:
    for html in pages(client).values():
        for address in Markup(html).addresses():
            if address.startswith("/assets/"):
                assert client.get(address, buffered=True).status_code == 200, address
    for script in SCRIPTS:
        for name in imported(script):
            assert (script.parent / name).is_file(), f"{script.name} imports {name}"


def test_the_rooms_of_scripts_import_themselves_and_what_all_share() -> None:
    for script in SCRIPTS:
        room = script.parent.relative_to(STATIC / "js").as_posix()
        for name in imported(script):
            other = (script.parent / name).resolve().parent.relative_to(STATIC / "js").as_posix()
            assert room == "." or other in (room, "base"), f"{room}/{script.name} must not import {name}"
    folders = {script.parent for script in SCRIPTS}
    assert max(len(list(folder.iterdir())) for folder in folders) <= 20


def test_every_element_that_a_script_looks_up_is_on_the_page(client: FlaskClient) -> None:
    ids = {attributes["id"] for _, attributes in Markup(pages(client)["/"]).tags if "id" in attributes}
    for script in SCRIPTS:
        for name in re.findall(r'\$\("([\w-]+)"\)(?!\?)', script.read_text(encoding="utf-8")):
            assert name in ids, f"{script.name} looks up {name}"


def test_scripts_never_parse_markup_or_code() -> None:
    for script in SCRIPTS:
        source = script.read_text(encoding="utf-8")
        for banned in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "http",
        ):
            assert banned not in source.replace("https://html.spec.whatwg.org", ""), f"{script.name}: {banned}"


def test_no_script_is_long() -> None:
    for script in SCRIPTS:
        assert len(script.read_text(encoding="utf-8").splitlines()) < 250, script.name


def test_the_upload_limit_is_on_the_page() -> None:
    html = client_of(max_upload_mb=7).get("/").get_data(as_text=True)
    assert 'data-max-upload-mb="7"' in html
    assert "7 MiB" in html


def test_without_a_token_there_is_nothing_to_sign_in_to(client: FlaskClient) -> None:
    assert "Sign out" not in pages(client)["/"]
    for response in (client.get("/login"), client.post("/login", data={"token": "x"}), client.post("/logout")):
        assert response.status_code == 303
        assert "Set-Cookie" not in response.headers or "Max-Age=0" in response.headers["Set-Cookie"]
    assert client.get("/login").location == "/"


def test_signing_in_and_out(locked: FlaskClient) -> None:
    assert locked.get("/").location == "/login"
    response = locked.post("/login", data={"token": f" {TOKEN} "})
    assert (response.status_code, response.location) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(TOKEN_COOKIE)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert "Sign out" in locked.get("/").get_data(as_text=True)
    assert locked.post("/logout").location == "/login"
    assert locked.get("/").status_code == 303


def test_the_cookie_is_secure_over_https(locked: FlaskClient) -> None:
    response = locked.post("/login", data={"token": TOKEN}, base_url="https://docent.example")
    assert "Secure" in response.headers["Set-Cookie"]


@pytest.mark.parametrize("data", [{}, {"token": ""}, {"token": "wrong"}, {"token": TOKEN + "x"}, {"token": "ключ"}])
def test_a_wrong_token_signs_nobody_in(locked: FlaskClient, data: dict[str, str]) -> None:
    response = locked.post("/login", data=data)
    assert response.status_code == 401
    assert "Set-Cookie" not in response.headers
    assert 'role="alert"' in response.get_data(as_text=True)
    assert TOKEN not in response.get_data(as_text=True)
    locked.set_cookie(TOKEN_COOKIE, "wrong")
    assert locked.get("/").status_code == 303


def test_the_reference_shows_every_operation_escaped(client: FlaskClient) -> None:
    html = pages(client)["/docs"]
    assert "Tests &lt;b&gt;only&lt;/b&gt;." in html
    assert "Its &lt;id&gt;" in html
    for path in SPEC["paths"]:
        assert f"<code>{path}</code>" in html
    ids = [attributes["id"] for _, attributes in Markup(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_reference_is_grouped_by_tag() -> None:
    groups = reference_groups(SPEC, base_url="http://host", with_token=False)
    assert [(group.name, len(group.operations)) for group in groups] == [("Documents", 1), ("Other", 1), ("Ask", 1)]


def test_nested_and_recursive_schemas_become_rows() -> None:
    upload = reference_groups(SPEC, base_url="", with_token=False)[0].operations[0]
    rows = {row.name: row for row in upload.responses[0].rows}
    assert rows["documents"].type == "list of Node"
    assert rows["documents[].id"].required
    assert rows["documents[].parent"].type == "Node or null"
    assert max(name.count(".") for name in rows) == 2
    assert [(row.name, row.type) for row in upload.bodies[0].rows] == [("file", "list of file")]


def test_parameters_of_the_path_item_count() -> None:
    operation = reference_groups(SPEC, base_url="", with_token=False)[1].operations[0]
    assert [(row.name, row.type, row.required) for row in operation.parameters] == [("id", "string, in path", True)]
    assert operation.responses[0].status == "204"


def test_curl_examples_can_be_pasted_into_a_shell() -> None:
    documents, _, ask = reference_groups(SPEC, base_url="http://host:1", with_token=True)
    assert documents.operations[0].curl.splitlines() == [
        "curl -X POST http://host:1/api/v1/documents \\",
        '  -H "Authorization: Bearer $DOCENT_API_TOKEN" \\',
        "  -F file=@handbook.pdf",
    ]
    body = ask.operations[0].curl.splitlines()[-1]
    assert body == """  -d '{"question": "What'"'"'s new?", "mode": "hybrid"}'"""


def test_an_empty_document_is_shown_as_such() -> None:
    app = Flask("empty", static_folder=None)
    app.register_blueprint(pages_blueprint(spec=dict))
    assert "no operations" in app.test_client().get("/docs").get_data(as_text=True)


def sample(name: str) -> str:
    path = PROJECT_DIR / "data" / "samples" / name
    if path.suffix != ".docx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as parts:
        return parts.read("word/document.xml").decode()


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("使用说明.md", rf"^\| `{PREFIX}(\w+)` \| (\S+) \|"),
        ("guide.docx", rf"<w:t>{PREFIX}(\w+)</w:t>(?:<(?!w:t>)[^>]*>)+<w:t>([^<]*)</w:t>"),
    ],
)
def test_the_samples_state_the_true_defaults(name: str, row: str) -> None:
    stated = re.findall(row, sample(name), re.MULTILINE)
    defaults = {f.name.upper(): str(f.default).removesuffix(".0") for f in fields(Settings)}
    assert len(stated) > 5
    for setting, value in stated:
        assert defaults[setting] == {"empty": "None"}.get(value, value), setting


def test_the_samples_name_buttons_that_the_page_has() -> None:
    named = re.findall("“([^”]+)”", sample("guide.docx"))
    assert {"Add files", "New conversation"} <= set(named)
    assert all(name in catalogue("en").values() for name in named)
    assert all(name in catalogue("zh").values() for name in re.findall("“([^”]+)”", sample("使用说明.md")))
