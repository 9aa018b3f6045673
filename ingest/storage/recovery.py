"""Originals that the catalog does not know, taken in again: `doctor --repair` after a catalog was lost.

Their names went with the catalog; each gets one that tells what it is by its content. A file is registered where it lies, so
that a stop anywhere leaves either a document or the file as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.audit import StoredFile
from catalog.ingestion import IngestionCatalog
from catalog.registration import NewFile
from ingest.readers.registry import HEAD_BYTES, media_type_of
from ingest.readers.text.plain import decode, is_binary
from ingest.storage.data_folder import DataFolder, is_id
from rag.errors import DocentError
from rag.types import Collection

# What tells the office formats and e-books apart: a member of the package.
_PACKAGES = (("word/", ".docx"), ("xl/", ".xlsx"), ("ppt/", ".pptx"), ("META-INF/container.xml", ".epub"))
_OPEN_DOCUMENTS = {"text": ".odt", "spreadsheet": ".ods", "presentation": ".odp"}
_MAIL = re.compile(r"(?:Received|Return-Path|From|Date|Message-ID|MIME-Version|Subject|Delivered-To): ", re.IGNORECASE)
_HTML = re.compile(r"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_MARKDOWN = re.compile(r"^(?:#{1,6} \S|```|---$|[-*] \S|\|.*\|$)", re.MULTILINE)
_BLOCK = 1 << 20


def take_in(
    folder: DataFolder,
    ingestion: IngestionCatalog,
    collection: Collection,
    paths: Sequence[Path],
    known: Sequence[StoredFile],
) -> int:
    """Make documents of files of the uploads folder; how many files there were.

    A file goes back to the document of those `known` that has lost its own with these bytes. Others become queued documents; of
    bytes that the collection has already, and of nothing at all, no second file is kept.

    Raises:
        QueueFullError: too much waits to be indexed. No document was made.
    """
    lost = {file.sha256: file.id for file in known if file.bytes and not folder.original(file.id).exists()}
    new = []
    for file in [_described(folder, path) for path in paths]:
        if not file.bytes:
            folder.original(file.id).unlink()
        elif (owner := lost.pop(file.sha256, None)) is not None:
            place = folder.original(owner)
            place.parent.mkdir(exist_ok=True)
            folder.original(file.id).rename(place)
        else:
            new.append(file)
    outcomes = ingestion.register(uuid.uuid4().hex, collection.id, new) if new else []
    for file, outcome in zip(new, outcomes, strict=True):
        if outcome.document_id != file.id:
            folder.original(file.id).unlink()
    return len(paths)


def _described(folder: DataFolder, path: Path) -> NewFile:
    if not is_id(path.name):
        own = folder.original(uuid.uuid4().hex)
        own.parent.mkdir(exist_ok=True)
        path = path.rename(own)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    name = f"recovered-{path.name[:12]}{extension_of(path, head)}"
    media_type, rejected = "application/octet-stream", None
    try:
        media_type = media_type_of(name, head)
    except DocentError as error:
        rejected = error
    return NewFile(path.name, name, media_type, path.stat().st_size, digest.hexdigest(), {}, rejected)


def extension_of(path: Path, head: bytes) -> str:
    """The extension that a file's content speaks for; `.txt` where it is some other text, `.bin` where it is none."""
    if b"%PDF-" in head[:1024]:
        return ".pdf"
    if head.startswith(b"PK"):
        return _package(path)
    if head.startswith(b"{\\rtf"):
        return ".rtf"
    if is_binary(head):
        return ".bin"
    text = decode(head)[0].lstrip("\ufeff")
    return next((extension for extension, fits in _TEXTS if fits(text, path)), ".txt")


def _package(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = archive.read("mimetype").decode("ascii", "replace").strip()
                if kind.startswith("application/vnd.oasis.opendocument."):
                    return _OPEN_DOCUMENTS.get(kind.rpartition(".")[2].removesuffix("-template"), ".bin")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return ".bin"
    return next((extension for start, extension in _PACKAGES if any(name.startswith(start) for name in names)), ".bin")


def _is_json(text: str, path: Path) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_json_lines(text: str, _: Path) -> bool:
    lines = text.splitlines()
    try:
        return len(lines) > 1 and all(isinstance(json.loads(line), dict | list) for line in lines[:2])
    except (ValueError, RecursionError):
        return False


_TEXTS: tuple[tuple[str, Callable[[str, Path], bool]], ...] = (
    (".html", lambda text, _: _HTML.match(text) is not None),
    (".ipynb", lambda text, path: '"nbformat"' in text + _end_of(path) and _is_json(text, path)),
    (".json", _is_json),
    (".jsonl", _is_json_lines),
    (".eml", lambda text, _: _MAIL.match(text) is not None and len(_MAIL.findall(text)) > 1),
    (".md", lambda text, _: _MARKDOWN.search(text) is not None),
)


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - HEAD_BYTES))
        return file.read().decode("utf-8", "replace")
