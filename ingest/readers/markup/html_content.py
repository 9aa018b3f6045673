"""Which parts of an HTML page are content: the article, without menus, banners, scripts and hidden text.

Owns that judgement and nothing else; `html_walk` turns what is left into text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement  # type: ignore[import-untyped]  # ships no types

_NEVER = frozenset(
    "script style noscript template head iframe object embed svg canvas audio video map button select option input"
    " textarea datalist dialog".split()
)
_CHROME = frozenset("nav aside footer menu".split())
_CHROME_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar", "dialog", "alertdialog"}
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
# Names that sites give to what surrounds an article. Only whole words count: "banner" is one, "bannerman" is not.
_CHROME_NAMES = re.compile(
    r"(?:^|[\s_-])(?:cookies?|gdpr|consent|advert(?:s|isement)?|ads|banner|breadcrumbs?|navbar|navigation|nav|menu|sidebar"
    r"|skip-?link|social|sharing|newsletter|popup|paywall)(?:$|[\s_-])",
    re.I,
)
# What stands beside the text of an article and yet belongs to it, in roles and in the names that writers' tools give.
_NOTE = re.compile(
    r"foot-?notes?|end-?notes?|side-?notes?|margin|admonition|note|tip|warning|important|caution|danger|hint|callout|message|topic",
    re.I,
)
_MARK = re.compile(r"\d{1,3}|[a-z]|[ivxl]{1,5}|[*†‡§]{1,3}")
_NOTE_MARK = re.compile(r"note-?ref|foot-?note|end-?note", re.I)
_DOUBLED = re.compile(r"headerlink|katex-html|MathJax_Preview")  # marks of headings; formulas that are there twice
_NAMED = frozenset("div section ul ol header aside p span form table".split())


def content_of(root: HtmlElement) -> list[HtmlElement]:
    """The main part where the page marks one that is not empty, else the whole page."""
    found: list[HtmlElement] = root.xpath("//main | //*[@role='main']")[:1] or root.xpath(
        "//article[not(ancestor::article)]"
    )
    return found if any(text.strip() for node in found for text in node.itertext()) else [root]


def named_chrome(root: HtmlElement) -> set[Any]:
    """Elements whose class or id calls them a menu, a banner or the like, where they hold no article and little text."""
    found: set[Any] = set()
    whole = 0
    for node in root.iter(*_NAMED):
        name = f"{node.get('class') or ''} {node.get('id') or ''}"
        if name == " " or not _CHROME_NAMES.search(name):
            continue
        whole = whole or _letters(root)
        if node.find(".//h1") is None and node.find(".//main") is None and 4 * _letters(node) < whole:
            found.add(node)
    return found


def is_left_out(node: HtmlElement, chrome: set[Any], *, article_only: bool, within_article: bool) -> bool:
    """Whether an element and all in it is no content. `chrome` is what `named_chrome` found."""
    tag = node.tag
    if not isinstance(tag, str) or tag in _NEVER:
        return True
    if node.get("hidden") is not None or _DOUBLED.search(node.get("class") or ""):
        return True
    if _HIDDEN_STYLE.search(node.get("style") or ""):
        return True
    if not article_only:
        return False
    if tag == "aside":  # outside an article it may be the only text there is
        return within_article and not _NOTE.search(f"{node.get('role') or ''} {node.get('class') or ''}")
    if tag == "form":
        return within_article and node.find(".//p") is None  # some frameworks wrap the whole page into one form
    return tag in _CHROME or node.get("role") in _CHROME_ROLES or node in chrome


def is_note_mark(node: HtmlElement) -> bool:
    """Whether an element is the mark of a note, which would stick to the word before it: a link that says so, or a raised one."""
    if node.tag != "a" or not (node.get("href") or "").count("#"):
        return False
    if not _MARK.fullmatch("".join(node.itertext()).strip()):
        return False
    said = f"{node.get('epub:type') or ''} {node.get('role') or ''} {node.get('class') or ''}"
    parent = node.getparent()
    raised = parent is not None and parent.tag == "sup"
    return raised or node.find("sup") is not None or bool(_NOTE_MARK.search(said))


def _letters(node: HtmlElement) -> int:
    return sum(len(text) for text in node.itertext() if not text.isspace())
