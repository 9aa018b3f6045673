"""E-books (.epub): the chapters in the order of the spine, each read as the HTML page it is.

Owns the package document and the table of contents, which names chapters that do not name themselves. Must not open books
with copy protection.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ingest.readers.markup.html import append_source, decode_html
from ingest.readers.package import Package, elements, open_package
from ingest.readers.text.normalisation import TextBuilder
from ingest.readers.warnings import named
from rag.errors import EncryptedError, UnreadableError
from rag.types import ParsedDocument

_PAGE_TYPES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/x-dtbook+xml")
_FONT_METHODS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
# XHTML may close any element in place; an HTML parser takes such a tag for an opening one.
_CLOSED_IN_PLACE = re.compile(
    r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)(\w+)\b([^<>]*)/>"
)
_OPEN = re.compile(r"[\w,;–—-]\s*$")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff，、]$|^[\u4e00-\u9fff]")
_MAX_CHAPTERS = 5000


def read(path: Path) -> ParsedDocument:
    """Read an e-book.

    Raises:
        EncryptedError: it is copy protected.
        UnreadableError: damaged, no e-book, or an archive bomb (code "archive_bomb").
    """
    builder = TextBuilder()
    with open_package(path, "e-book") as package:
        name, root = _package_document(package)
        if _is_protected(package):
            raise EncryptedError("The e-book is copy protected. Upload a copy without protection.")
        folder = posixpath.dirname(name)
        items = {node.get("id"): node for node in elements(root, "item")}
        titles = _titles(package, folder, items.values())
        chapters = [items[node.get("idref")] for node in elements(root, "itemref") if node.get("idref") in items]
        lost = []
        for item in (chapters or list(items.values()))[:_MAX_CHAPTERS]:
            if item.get("media-type") not in _PAGE_TYPES or "nav" in (item.get("properties") or "").split():
                continue
            part = _resolved(folder, item.get("href") or "")
            if not _append_chapter(builder, package, part, titles.get(part, "")):
                lost.append(posixpath.basename(part))
    if lost:
        if not builder.length:
            raise UnreadableError("The e-book is damaged: none of its chapters can be read. Download it anew.")
        builder.warn("chapters", names=named(lost))
    return builder.build({"title": _first(root, "title"), "author": _first(root, "creator")})


def _package_document(package: Package) -> tuple[str, Any]:
    """Name and root of the package document, as the container says or by its extension."""
    container = package.xml("META-INF/container.xml")
    names = [node.get("full-path") or "" for node in elements(container, "rootfile")] if container is not None else []
    names += [name for name in package.names() if name.endswith(".opf")]
    for name in names:
        root = package.xml(name)
        if root is not None:
            return name, root
    raise UnreadableError(
        "The file is a zip archive, but not an e-book (no package document). Name it .zip if it is an archive of files."
    )


def _is_protected(package: Package) -> bool:
    """Whether anything but fonts is encrypted."""
    root = package.xml("META-INF/encryption.xml")
    methods = [node.get("Algorithm") or "" for node in elements(root, "EncryptionMethod")] if root is not None else []
    return any(not method.startswith(_FONT_METHODS) for method in methods)


def _append_chapter(builder: TextBuilder, package: Package, part: str, title: str) -> bool:
    """Append a chapter; whether it could be read. `title` is used where the chapter has no heading of its own."""
    data = package.read(part)
    if data is None:
        return False
    source = _CLOSED_IN_PLACE.sub(r"<\1\2></\1>", decode_html(data))
    chapter = TextBuilder()
    try:
        append_source(chapter, source, article_only=False)
    except UnreadableError:
        return not data.strip()
    document = chapter.build()
    named = bool(document.headings) and document.headings[0].start == 0
    start = builder.adopt(document, level=0, gap="\n\n" if title or named else _gap(builder.tail, document.text))
    if title and not document.headings and start is not None:
        builder.mark_heading(1, title, start)
    return True


def _gap(above: str, below: str) -> str:
    """What stands between two files: nothing but a space where a sentence goes on from one to the other."""
    if _OPEN.search(above) and below[:1].islower():
        return " "
    if _IDEOGRAPH.search(above) and _IDEOGRAPH.match(below):
        return ""
    return "\n\n"


def _titles(package: Package, folder: str, items: Any) -> dict[str, str]:
    """The first entry of the table of contents for each chapter, from either of its two forms."""
    found: dict[str, str] = {}
    for item in items:
        if "nav" in (item.get("properties") or "").split():
            tag, link = "a", "href"
        elif item.get("media-type") == "application/x-dtbncx+xml":
            tag, link = "navPoint", "src"
        else:
            continue
        part = _resolved(folder, item.get("href") or "")
        root = package.xml(part)
        for node in elements(root, tag) if root is not None else ():
            label, target = node, node.get(link)
            if tag == "navPoint":
                label, content = node.find("{*}navLabel"), node.find("{*}content")
                target = content.get("src") if content is not None else None
            if label is not None and target:
                chapter = _resolved(posixpath.dirname(part), target)
                found.setdefault(chapter, " ".join("".join(label.itertext()).split()))
    return found


def _resolved(folder: str, reference: str) -> str:
    return posixpath.normpath(posixpath.join(folder, unquote(reference.split("#")[0])))


def _first(root: Any, name: str) -> str:
    return next((node.text or "" for node in elements(root, name)), "")
