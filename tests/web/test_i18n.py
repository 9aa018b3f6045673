"""The page's languages: complete, chosen as people wish, and used where they are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

import web.pages
from web.i18n import LANGUAGES, PAGE_ONLY, Text, catalogue, for_scripts, translate

ROOM = Path(web.pages.__file__).parent
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in (ROOM / "static" / "js").rglob("*.js")}
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in (ROOM / "templates").glob("*.html")}
ENGLISH = catalogue("en")
# Names that are the same in every language.
SAME = {"settings.version", "copy.markdown"}
LITERAL = r"""\bt(?:Or)?\((["'])([^"'`]+)\1"""


def texts(text: Text) -> list[str]:
    return text if isinstance(text, list) else [text]


def places(text: Text) -> set[str]:
    return {name for part in texts(text) for name in re.findall(r"\{(\w+)\}", part)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_its_places(language: str) -> None:
    found = catalogue(language)
    assert list(found) == list(ENGLISH), "the same keys in the same order"
    for key, text in found.items():
        assert all(part.strip() for part in texts(text)), key
        assert places(text) == places(ENGLISH[key]), key
        assert not isinstance(text, list) or len(text) == 2, key


def test_the_share_of_texts_that_are_translated_is_one() -> None:
    chinese = catalogue("zh")
    done = [
        key
        for key in ENGLISH
        if key in SAME or any(re.search(r"[\u4e00-\u9fff]", part) for part in texts(chinese[key]))
    ]
    other_way = {"page.example.3"}  # an English question, offered to Chinese readers
    assert set(ENGLISH) - set(done) == other_way


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_text_is_left_in_english(language: str) -> None:
    assert {key for key, text in catalogue(language).items() if text == ENGLISH[key]} <= SAME


def test_every_key_that_is_asked_for_exists_and_none_is_idle() -> None:
    used: set[str] = set()
    stems: set[str] = set()
    for name, source in {**SCRIPTS, **TEMPLATES}.items():
        keys = {key for _, key in re.findall(LITERAL, source)}
        grown = set(re.findall(r"\bt(?:Or)?\(`([\w.]+\.)\$", source))
        grown |= {key for key in keys if key.endswith(".")}
        assert keys - grown <= set(ENGLISH), f"{name}: {keys - grown - set(ENGLISH)}"
        assert all(any(key.startswith(stem) for key in ENGLISH) for stem in grown), name
        used |= keys | {key for key in ENGLISH if f'"{key}"' in source or f"'{key}'" in source}
        stems |= grown
    idle = {key for key in ENGLISH if key not in used and not key.startswith(tuple(stems))}
    assert not idle


def test_scripts_get_what_they_show_and_no_more() -> None:
    sent = for_scripts("en")
    for name, source in SCRIPTS.items():
        for _, key in re.findall(LITERAL, source):
            assert key in sent, f"{name} shows {key}"
    assert not [key for key in sent if key.startswith(PAGE_ONLY)]


def test_no_template_has_words_of_its_own() -> None:
    allowed = {"Docent", "API", "DOCENT_API_TOKEN", "default"}
    for name, source in TEMPLATES.items():
        if name in ("docs.html", "view.html"):  # made from English descriptions; made from documents
            continue
        source = re.sub(r"\{% block \w+_attributes %\}.*", "", source)
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]+>", " ", source, flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{2,}[\w-]*", bare)) - allowed
        assert not words, f"{name}: {words}"


def test_places_are_filled() -> None:
    assert "7 MiB" in translate("en", "page.upload.note", mib=7)
    with pytest.raises(KeyError):
        translate("en", "nothing")


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("pages-only", static_folder=None)
    app.register_blueprint(web.pages.pages_blueprint(spec=dict))
    return app.test_client()


@pytest.mark.parametrize(
    ("accept", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,en;q=0.9", "en"), ("tlh,zh;q=0.5", "zh"), ("tlh", "en"), ("", "en")],
)
def test_the_browser_chooses(client: FlaskClient, accept: str, language: str) -> None:
    response = client.get("/", headers={"Accept-Language": accept})
    assert f'<html lang="{language}"' in response.text
    assert response.headers["Content-Language"] == language
    assert "Accept-Language" in response.headers["Vary"]


def test_a_choice_is_remembered(client: FlaskClient) -> None:
    english = {"Accept-Language": "en"}
    assert "提问" in client.get("/?lang=zh", headers=english).text
    assert '<html lang="zh"' in client.get("/", headers=english).text
    assert '<html lang="zh"' in client.get("/docs", headers=english).text
    assert '<html lang="zh"' in client.get("/?lang=tlh", headers=english).text
    assert '<html lang="en"' in client.get("/?lang=en", headers=english).text


def test_the_theme_is_sent_with_the_page(client: FlaskClient) -> None:
    assert "data-theme" not in client.get("/").text.split("</head>")[0]
    client.set_cookie("docent_theme", "dark")
    assert 'data-theme="dark"' in client.get("/").text
    client.set_cookie("docent_theme", '"><script>')
    assert "data-theme=" not in client.get("/").text
