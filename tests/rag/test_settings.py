"""Settings from the environment and `.env`: defaults, readers, and errors that name key, value and what was expected."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigurationError
from rag.settings import SECRETS, Settings, read_env_file

TOKEN = "0123456789abcdef"


def load(**environ: str) -> Settings:
    return Settings.load({f"DOCENT_{name.upper()}": value for name, value in environ.items()}, env_file=None)


def test_the_defaults_are_safe() -> None:
    settings = load()

    assert (settings.host, settings.port, settings.llm, settings.api_token) == ("127.0.0.1", 8000, "local", "")
    assert settings.is_loopback
    assert settings.data_dir.is_absolute()
    assert settings.cors_origins == settings.allowed_hosts == ()
    assert 1 <= settings.threads <= 8


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("port", "0", 0),
        ("samples", "no", False),
        ("samples", "TRUE", True),
        ("min_confidence", "0.5", 0.5),
        ("cors_origins", "https://a, https://b ,", ("https://a", "https://b")),
        ("llm_base_url", "http://127.0.0.1:1/v1/", "http://127.0.0.1:1/v1"),
        ("data_dir", "~/x", Path.home() / "x"),
        ("data_dir", "", None),
    ],
)
def test_values_are_read(key: str, raw: str, value: Any) -> None:
    found = getattr(load(**{key: raw}), key)
    assert found == (getattr(load(), key) if value is None else value)


@pytest.mark.parametrize(
    ("key", "raw", "expected"),
    [
        ("port", "70000", "a whole number from 0 to 65535"),
        ("port", "http", "a whole number"),
        ("samples", "maybe", "1 or 0"),
        ("llm", "magic", "one of local, openai, extractive"),
        ("llm_base_url", "localhost", "a URL that starts with http"),
        ("min_confidence", "1.5", "a number from 0 to 1"),
        ("min_confidence", "nan", "a number from 0 to 1"),
        ("max_upload_mb", "0", "from 1 to"),
        ("log_level", "info", "one of DEBUG"),
    ],
)
def test_bad_values_name_key_value_and_expectation(key: str, raw: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(**{key: raw})

    message = caught.value.message
    assert f"DOCENT_{key.upper()}" in message
    assert repr(raw) in message
    assert expected in message


def test_an_unknown_key_stops_the_start_and_foreign_keys_do_not() -> None:
    with pytest.raises(ConfigurationError, match="DOCENT_PROT is not a setting"):
        load(prot="80")
    assert Settings.load({"PORT": "1", "PATH": "/bin"}, env_file=None).port == 8000


def test_other_addresses_want_a_token() -> None:
    for host in ("0.0.0.0", "::", "192.168.1.2", "docs.example"):
        with pytest.raises(ConfigurationError, match="DOCENT_API_TOKEN"):
            load(host=host)
        assert not load(host=host, api_token=TOKEN).is_loopback
    for host in ("localhost", "127.0.0.9", "::1"):
        assert load(host=host).is_loopback
    with pytest.raises(ConfigurationError, match="too short"):
        load(api_token="short")


def test_a_hosted_model_needs_its_name() -> None:
    with pytest.raises(ConfigurationError, match="DOCENT_LLM_MODEL"):
        load(llm="openai")
    assert load(llm="openai", llm_model="m").evidence_budget > load().evidence_budget
    assert load(evidence_tokens="99").evidence_budget == 99


def test_secrets_are_never_shown() -> None:
    settings = load(api_token=TOKEN, llm_api_key="sk-very-secret")

    assert TOKEN not in repr(settings)
    assert "sk-very-secret" not in repr(settings)
    assert repr(settings).count("(secret)") == len(SECRETS)
    assert {setting.name for setting in fields(Settings)} >= SECRETS


def test_a_file_of_settings_gives_way_to_the_environment(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# comment\nexport DOCENT_PORT=8001\nDOCENT_LLM = 'extractive'\nOTHER=x\n\nDOCENT_LOG_LEVEL=\"DEBUG\"\nnonsense\n",
        encoding="utf-8",
    )

    settings = Settings.load({"DOCENT_PORT": "8002"}, env_file=path)

    assert (settings.port, settings.llm, settings.log_level) == (8002, "extractive", "DEBUG")
    assert read_env_file(tmp_path / "absent") == {}
    path.write_text("DOCENT_PROT=1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="DOCENT_PROT"):
        Settings.load({}, env_file=path)


def test_prompts_belong_to_a_named_model() -> None:
    settings = load(embedding_model="intfloat/e5-base", embedding_query_prompt="query: ")

    assert settings.embedding_query_prompt == "query: "
    assert load().embedding_model == "multilingual"
    assert load().rerank_model == ""
    with pytest.raises(ConfigurationError, match="DOCENT_EMBEDDING_QUERY_PROMPT"):
        load(embedding_model="multilingual", embedding_query_prompt="query: ")
