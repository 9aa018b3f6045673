"""Documentation that cannot drift: settings, routes, languages of the README, and the schema against its migrations."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from app import create_app
from catalog.engine import HEAD, Database
from catalog.tables import metadata
from rag.settings import PREFIX, Settings
from tests.fakes import HashEmbedder
from wiring import build_services

PROJECT = Path(__file__).resolve().parent.parent


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: object) -> None:
    assert f"`{PREFIX}{setting.name.upper()}`" in read("docs/settings.md")  # type: ignore[attr-defined]


def test_no_documented_setting_is_gone() -> None:
    known = {PREFIX + setting.name.upper() for setting in fields(Settings)}
    for name in ("README.md", "README.zh.md", "docs/settings.md", "docs/deployment.md"):
        assert set(re.findall(r"DOCENT_[A-Z_]+[A-Z]", read(name))) <= known, name


def test_every_route_is_documented(tmp_path: Path) -> None:
    services = build_services(Settings(data_dir=tmp_path, llm="extractive", samples=False), embedder=HashEmbedder())
    try:
        app: Flask = create_app(services=services)
        text = read("docs/api.md")
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            shown = path.replace("{document_id}", "{id}").replace("{job_id}", "{id}")
            shown = shown.replace("{conversation_id}", "{id}").replace("{answer_id}", "{id}")
            assert path in text or shown in text, f"{path} is missing in docs/api.md"
    finally:
        services.close()


def test_both_readmes_have_the_same_headings() -> None:
    def levels(name: str) -> list[int]:
        without_code = re.sub(r"```.*?```", "", read(name), flags=re.DOTALL)
        return [len(marks) for marks in re.findall(r"^(#+) ", without_code, flags=re.MULTILINE)]

    assert levels("README.md") == levels("README.zh.md") != []


def test_links_in_the_documentation_lead_somewhere() -> None:
    for path in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_direct_dependency_has_its_line() -> None:
    text = read("docs/dependencies.md").lower()
    for line in read("requirements.in").splitlines():
        name = re.split(r"[=\[#]", line)[0].strip()
        if name:
            assert name.lower() in text, f"{name} is missing in docs/dependencies.md"


def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "catalog" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
    database = Database(tmp_path / "catalog.sqlite3")
    try:
        with database.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        database.close()
