"""The typed settings, read once from the environment and `.env`.

Owns the list of settings: each field below is one `DOCENT_` key with its default, its reader and its line of
documentation (docs/settings.md is checked against it by a test). Standard library only, and cheap to import. An
unknown key or a bad value raises ConfigurationError naming the key, the value and what was expected; secrets are never
printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError

PREFIX = "DOCENT_"
EMBEDDING_PRESETS = ("english", "multilingual")
SECRETS = frozenset({"llm_api_key", "api_token"})
PROJECT_DIR = Path(__file__).resolve().parent.parent


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        value = int(raw)
        if not low <= value <= high:
            raise ValueError
        return value

    read.__doc__ = f"a whole number from {low} to {high}"
    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(raw: str) -> float:
        value = float(raw)
        if not low <= value <= high:
            raise ValueError
        return value

    read.__doc__ = f"a number from {low:g} to {high:g}"
    return read


def _flag(raw: str) -> bool:
    """1 or 0 (also true/false, yes/no, on/off)"""
    return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}[
        raw.strip().lower()
    ]


def _choice(*options: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in options:
            raise ValueError
        return raw

    read.__doc__ = "one of " + ", ".join(options)
    return read


def _text(raw: str) -> str:
    """some text"""
    return raw


def _url(raw: str) -> str:
    """a URL that starts with http:// or https://"""
    if not raw.startswith(("http://", "https://")):
        raise ValueError
    return raw.rstrip("/")


def _path(raw: str) -> Path:
    """a path"""
    return Path(raw).expanduser().absolute()


def _words(raw: str) -> tuple[str, ...]:
    """a comma-separated list"""
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def _hosts(raw: str) -> tuple[str, ...]:
    """a comma-separated list of host names such as docs.example.org, *.example.org or example.org:8443"""
    found = tuple(host.lower() for host in _words(raw))
    if not all(re.fullmatch(r"(\*\.)?[^\s/*@:?#]+(:[0-9]{1,5})?", host) for host in found):
        raise ValueError
    return found


def _cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "docent" / "models"


def _data_dir() -> Path:
    """`data` in a checkout; of a built package, which stands among others, a folder of the user's."""
    if (PROJECT_DIR / "pyproject.toml").is_file():
        return PROJECT_DIR / "data"
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser().absolute() / "docent"


def _setting(default: Any, read: Callable[[str], Any], about: str) -> Any:
    metadata = {"read": read, "about": about}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Build it with `Settings.load()`; tests may call the constructor."""

    host: str = _setting("127.0.0.1", _text, "Address to listen on. Any other than loopback needs `DOCENT_API_TOKEN`.")
    port: int = _setting(8000, _integer(0, 65535), "Port to listen on; 0 picks a free one.")
    data_dir: Path = _setting(_data_dir, _path, "Folder for all run-time bytes: uploads, catalog, indexes.")
    models_dir: Path = _setting(_cache_dir, _path, "Folder for weights, shared by all data folders.")
    samples: bool = _setting(True, _flag, "Ingest the samples about Docent on the first run.")
    api_token: str = _setting("", _text, "Bearer token that every request must carry; empty means open, loopback only.")
    allowed_hosts: tuple[str, ...] = _setting(
        (), _words, "Further host names under which the server may be addressed (Host header)."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), _words, "Origins that browsers may call the API from; none by default."
    )
    log_level: str = _setting("INFO", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "How much to log.")
    threads: int = _setting(
        lambda: min(os.cpu_count() or 1, 8), _integer(1, 256), "Threads for embedding and for the local chat model."
    )
    max_upload_mb: int = _setting(64, _integer(1, 4096), "Largest file accepted, in MiB.")
    max_queued_mb: int = _setting(
        4096, _integer(1, 1 << 20), "What may wait to be indexed, in MiB; uploads over it are refused with 429."
    )
    allow_urls: tuple[str, ...] = _setting(
        (),
        _hosts,
        "Hosts that documents and Git repositories may be fetched from: names, `*.` before one for those below it.",
    )
    reader_timeout_s: int = _setting(
        300, _integer(1, 86400), "Longest time that reading one file may take, in seconds."
    )
    reader_memory_mb: int = _setting(2048, _integer(256, 1 << 20), "Memory that reading one file may take, in MiB.")
    ocr: str = _setting(
        "auto",
        _choice("auto", "rapidocr", "tesseract", "off"),
        "What reads pages that are pictures, and photographs: `rapidocr`, `tesseract` (where it is installed), `auto` (the first of the "
        "two that is there) or `off`.",
    )
    ocr_timeout_s: int = _setting(
        3600,
        _integer(1, 86400),
        "Longest time that recognising the pages of one file may take, in seconds; later pages are named in a warning.",
    )
    embedding_model: str = _setting(
        "multilingual",
        _text,
        "Embedding model of new collections: `english`, `multilingual`, or a sentence-transformers model's name or folder.",
    )
    embedding_query_prompt: str = _setting(
        "", _text, "What goes before a question, for a model that is named; empty means the model's own prompt."
    )
    embedding_document_prompt: str = _setting(
        "", _text, "What goes before a passage, for a model that is named; empty means the model's own prompt."
    )
    rerank_model: str = _setting(
        "",
        _text,
        "A sentence-transformers cross-encoder, by name or folder, that reorders the best passages; empty: none.",
    )
    chunk_tokens: int = _setting(
        400, _integer(32, 8192), "Target size of a chunk in the embedder's tokens; capped by its window."
    )
    top_k: int = _setting(10, _integer(1, 100), "Passages retrieved for a question when the request does not say.")
    evidence_tokens: int = _setting(
        0,
        _integer(0, 32768),
        "Prompt tokens that evidence may take; 0 picks what the chat model reads well in the time: 480 for the local one, 3000 for others.",
    )
    min_confidence: float | None = _setting(
        None,
        _number(0, 1),
        "Least probability that the documents answer; below it the answer is `no_evidence`. Empty: as calibrated.",
    )
    answers: str = _setting(
        "balanced",
        _choice("strict", "balanced", "open"),
        "What is answered when the request does not say: `strict` (only what is certain and verified), `balanced`, `open` (also what "
        "could not be supported, marked as such).",
    )
    entailment_model: str = _setting(
        "",
        _text,
        "What judges whether a source says a sentence in other words: `chat` (the chat model), `none`, or a sentence-transformers "
        "cross-encoder for natural language inference, by name or folder; empty: what serves the chat model best.",
    )
    llm: str = _setting(
        "local",
        _choice("local", "openai", "extractive"),
        "Chat model: `local` (started by Docent), `openai` (any compatible URL), `extractive` (quoted sentences, no model).",
    )
    llm_base_url: str = _setting("https://api.openai.com/v1", _url, "Base URL of the OpenAI-compatible chat model.")
    llm_model: str = _setting("", _text, "Model name at that URL; required when `DOCENT_LLM=openai`.")
    llm_api_key: str = _setting("", _text, "Key for that URL, where it wants one.")
    llm_timeout_s: float = _setting(60.0, _number(1, 3600), "Longest wait for the chat model's next token, in seconds.")
    answer_tokens: int = _setting(
        0,
        _integer(0, 16384),
        "Longest answer, in the chat model's tokens; 0 picks 400 for the local model, 1500 for others.",
    )

    def __post_init__(self) -> None:
        if self.llm == "openai" and not self.llm_model:
            raise ConfigurationError(
                "DOCENT_LLM=openai needs DOCENT_LLM_MODEL, the model's name at DOCENT_LLM_BASE_URL."
            )
        if self.embedding_model in EMBEDDING_PRESETS and (
            self.embedding_query_prompt or self.embedding_document_prompt
        ):
            raise ConfigurationError(
                f"DOCENT_EMBEDDING_MODEL={self.embedding_model} has prompts of its own: leave DOCENT_EMBEDDING_QUERY_PROMPT "
                "and DOCENT_EMBEDDING_DOCUMENT_PROMPT empty, or name a model."
            )
        if not self.is_loopback and not self.api_token:
            raise ConfigurationError(
                f"DOCENT_HOST={self.host!r} is not a loopback address, so everybody on the network could read and delete "
                "documents. Set DOCENT_API_TOKEN to a long random text, or DOCENT_HOST=127.0.0.1."
            )
        if self.api_token and len(self.api_token) < 16:
            raise ConfigurationError("DOCENT_API_TOKEN is too short: expected at least 16 characters.")

    @property
    def is_loopback(self) -> bool:
        """Whether the server can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def evidence_budget(self) -> int:
        """Prompt tokens to spend on evidence; small for the local model, whose reading is what a user waits for."""
        return self.evidence_tokens or (480 if self.llm == "local" else 3000)

    @property
    def answer_limit(self) -> int:
        """Tokens that an answer may have."""
        return self.answer_tokens or (400 if self.llm == "local" else 1500)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
        """Read the settings; the environment wins over the file.

        Raises:
            ConfigurationError: an unknown key, or a value of the wrong kind.
        """
        environ = os.environ if environ is None else environ
        found = read_env_file(env_file) if env_file else {}
        found.update((key, value) for key, value in environ.items() if key.startswith(PREFIX))
        known = {PREFIX + f.name.upper(): f for f in fields(cls)}
        values: dict[str, Any] = {}
        for key, raw in found.items():
            if key not in known:
                raise ConfigurationError(f"{key} is not a setting of Docent. The settings are: {', '.join(known)}.")
            if raw == "":
                continue
            setting = known[key]
            read = setting.metadata["read"]
            try:
                values[setting.name] = read(raw)
            except (ValueError, KeyError) as error:
                shown = "(secret)" if setting.name in SECRETS else repr(raw)
                raise ConfigurationError(f"{key}={shown} is not valid: expected {read.__doc__}.") from error
        return cls(**values)

    def __repr__(self) -> str:
        shown = (f"{f.name}={'(secret)' if f.name in SECRETS else repr(getattr(self, f.name))}" for f in fields(self))
        return f"Settings({', '.join(shown)})"


def environment_without_settings() -> dict[str, str]:
    """The process's environment without the keys of Docent: what a child gets that is to have settings of its own."""
    return {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}


def secret_of(variable: str) -> str:
    """The secret in an environment variable that a command was told. Raises ConfigurationError if it is not set."""
    if not (found := os.environ.get(variable)):
        raise ConfigurationError(f"The environment variable {variable} is not set.")
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """`DOCENT_` lines of a `.env` file: KEY=VALUE, optional quotes and `export`, `#` comments. Absent file: nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        key, equals, value = line.strip().removeprefix("export ").partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if equals and key.strip().startswith(PREFIX):
            found[key.strip()] = value
    return found
