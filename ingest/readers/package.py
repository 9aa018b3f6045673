"""Zip files that are documents: Office, OpenDocument and EPUB packages, and the XML in them.

Owns opening them (measured first), their relationships and core properties, and the one way XML is parsed here: no entity
is expanded, nothing is loaded, no network. Must not know what a part means.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile, ZipInfo

from ingest.readers.archive_limits import DAMAGE, measure
from rag.errors import EncryptedError, UnreadableError

_ENCRYPTED_MARK = "EncryptedPackage".encode("utf-16-le")
_MAX_PART_BYTES = 256 << 20
_PROLOG_BYTES = 1024
_ENTITIES = "The document declares XML entities, as no office program writes them, and was not read. Open it in one and save it anew."
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}
_CORE = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """A pointer from one part to another: the last word of its type, and the target part. External ones are left out."""

    kind: str
    target: str


class Package:
    """An open package. Part names are found whatever their case, as some producers write them."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._parts: dict[str, ZipInfo] = {}
        for info in archive.infolist():
            self._parts.setdefault(_folded(info.filename), info)

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return _folded(name) in self._parts

    def names(self) -> list[str]:
        """Part names in lower case, in the order of the archive."""
        return list(self._parts)

    @property
    def encrypted(self) -> bool:
        """Whether a member needs a password."""
        return any(info.flag_bits & 0x1 for info in self._parts.values())

    def read(self, name: str) -> bytes | None:
        """The bytes of a part; None when it is missing or damaged."""
        info = self._parts.get(_folded(name))
        if info is None or info.file_size > _MAX_PART_BYTES:
            return None
        try:
            return self._archive.read(info)
        except DAMAGE:
            return None

    def xml(self, name: str) -> Any | None:
        """The root element of an XML part; None when it is missing or damaged."""
        data = self.read(name)
        return parse_xml(data) if data else None

    def xml_or_what_is_left(self, name: str) -> tuple[Any | None, bool]:
        """The root element of an XML part, and whether the part is whole; of a damaged one what comes before the damage."""
        data = self.read(name)
        if not data:
            return None, True
        root = parse_xml(data)
        return (root, True) if root is not None else (parse_xml(data, recover=True), False)

    def open(self, name: str) -> Any:
        """A stream of a part, which must be there."""
        return self._archive.open(self._parts[_folded(name)])

    def stream(self, name: str, *tags: str) -> Iterator[Any]:
        """Elements of a large part with these local names, one at a time, each emptied when the next is asked for.

        Nothing when the part is missing. Raises UnreadableError (code "damaged_part") where the XML breaks off.
        """
        from lxml import etree  # type: ignore[import-untyped]  # ships no types

        if not self.has(name):
            return
        try:
            with self.open(name) as part:
                wanted = [f"{{*}}{tag}" for tag in tags]
                for _, node in etree.iterparse(part, tag=wanted, **_SAFE):
                    yield node
                    node.clear()
                    while node.getprevious() is not None:
                        del node.getparent()[0]
        except (etree.XMLSyntaxError, *DAMAGE) as error:
            raise UnreadableError(f"The part {name} is damaged.", code="damaged_part") from error

    def refuse_doctypes(self) -> None:
        """Raise UnreadableError (code "xml_entities") when an XML part declares a document type, as no Office file does."""
        for name in self._parts:
            if name.endswith((".xml", ".rels")):
                try:
                    with self.open(name) as part:
                        prolog = part.read(_PROLOG_BYTES)
                except DAMAGE:
                    continue
                if b"<!DOCTYPE" in prolog.replace(b"\0", b""):
                    raise UnreadableError(_ENTITIES, code="xml_entities")

    def relations(self, part: str) -> dict[str, Relation]:
        """Relationships of a part by their ids; of the package itself for ""."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, Relation] = {}
        for node in elements(root, "Relationship") if root is not None else ():
            target = unquote(node.get("Target") or "")
            if node.get("TargetMode") != "External" and target:
                resolved = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[node.get("Id") or ""] = Relation((node.get("Type") or "").rsplit("/", 1)[-1], resolved)
        return found

    def main_part(self) -> str | None:
        """The name of the part that the package says it is about."""
        return next((each.target for each in self.relations("").values() if each.kind == "officeDocument"), None)

    def core_properties(self) -> dict[str, str]:
        """Title and author, where an Office package states them."""
        root = self.xml("docProps/core.xml")
        return {} if root is None else {key: root.findtext(tag) or "" for key, tag in _CORE.items()}


@contextmanager
def open_package(path: Path, what: str, *, old: str = "", new: str = "") -> Iterator[Package]:
    """Open the `what` ("Word document") at `path`. `old` and `new` are the extensions of its ancestor and itself.

    Raises:
        EncryptedError: it needs a password.
        UnreadableError: damaged, an old Office file, or an archive bomb (code "archive_bomb").
    """
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            file.seek(0)
            if _ENCRYPTED_MARK in file.read(64 << 20):
                raise EncryptedError("The document needs a password. Save it without one and upload it again.")
            raise UnreadableError(f"The file is an old {old} file. Save it as {new} and upload it again.")
        with measure(file) as archive:
            package = Package(archive)
            if package.encrypted:
                raise EncryptedError(f"The {what} needs a password. Save it without one and upload it again.")
            yield package


def parse_xml(data: bytes, *, recover: bool = False) -> Any | None:
    """The root element, or None when it is no XML. With `recover` as much of it as makes sense.

    Raises:
        UnreadableError: the document declares entities (code "xml_entities"), which documents have no use for.
    """
    from lxml import etree

    parser = etree.XMLParser(**_SAFE, recover=recover)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is not None:  # nothing may be left to recover
        refuse_entities(root)
    return root


def refuse_entities(root: Any) -> None:
    """Raise UnreadableError when the document of an element declares entities of its own."""
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(iter(dtd.iterentities()), None) is not None:
        raise UnreadableError(_ENTITIES, code="xml_entities")


def local_name(node: Any) -> str:
    """The tag without its namespace; "" for anything that is no element."""
    tag = node.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def elements(node: Any, *names: str) -> Iterator[Any]:
    """Descendants with these local names, in document order, whatever their namespace (strict and transitional differ)."""
    return node.iter(*(f"{{*}}{name}" for name in names))  # type: ignore[no-any-return]


def attribute(node: Any, name: str) -> str | None:
    """An attribute by its local name, whatever its namespace."""
    for key, value in node.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return None


def _folded(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
