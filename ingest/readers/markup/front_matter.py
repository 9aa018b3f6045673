"""Front matter: what stands between two lines of `---` (YAML) or `+++` (TOML) at the head of a Markdown file.

Owns the plain part of both languages: keys with a word, a line, a list of words, a block of text; keys within keys are
joined by dots. What else they know (anchors, tags, types) is left as it is written. Must not execute or include anything.
"""

from __future__ import annotations

import re

_FENCED = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_YAML_LINE = re.compile(r"[\w.\"' -]+?\s*:(?:\s|$)|\s|#|-(?:\s|$)|[\]})]|$")
_TOML_LINE = re.compile(r"[\w.\"' -]+?\s*=|\s|#|\[|\]|$|[\"']")
_KEY = re.compile(r"(\s*)([\w.\"'][\w.\"' -]*?)\s*[:=](?:\s+(.*)|$)")
_ITEM = re.compile(r"\s*-\s+(.*)$")
_BLOCK = re.compile(r"[|>][+-]?\d?$")
MAX_KEYS, MAX_VALUE = 50, 1000
"""Keys that are kept as metadata, and characters of a value; the text has all of them."""


def split_front_matter(text: str) -> tuple[str, str, dict[str, str]]:
    """The front matter without its fences, the text behind it, and its values; all of the text where there is none."""
    found = _FENCED.match(text)
    if not found:
        return "", text, {}
    line = _YAML_LINE if found[1] == "---" else _TOML_LINE
    lines = found[2].split("\n")
    if not all(line.match(each) for each in lines) or not any(_KEY.match(each) for each in lines):
        return "", text, {}
    return found[2].strip("\n"), text[found.end() :].strip("\n"), _values(lines)


def _values(lines: list[str]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    path: list[tuple[int, str]] = []  # keys that are open, with their indentation
    block = -1  # the indentation of the key whose block of text is being read
    inside = False  # an array that goes on over several lines
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        name = ".".join(key for _, key in path)
        if block >= 0 and depth > block:
            values.setdefault(name, []).append(line.strip())
            continue
        block = -1
        item, key = _ITEM.match(line), _KEY.match(line)
        if inside or line.strip()[0] in "]})":
            values.setdefault(name, []).extend(_listed(line.strip().rstrip("]}")))
            inside = inside and "]" not in line
        elif item and path:
            values.setdefault(name, []).extend(_listed(item[1]))
        elif line.startswith("["):
            path = [(-1, line.strip("[] "))]
        elif key:
            path = [(at, each) for at, each in path if at < depth]
            path.append((depth, key[2].strip("\"'")))
            name = ".".join(each for _, each in path)
            value = _without_remark((key[3] or "").strip())
            if _BLOCK.match(value):
                block = depth
            elif value.startswith("[") and "]" not in value:
                inside = True
                values.setdefault(name, []).extend(_listed(value))
            elif value:
                values[name] = _listed(value) if value[0] in "[{" else [_bare(value)]
        elif path and values.get(name):
            values[name].append(line.strip())
    joined = {key: _joined(parts, key, lines) for key, parts in values.items()}
    kept = {key: value[:MAX_VALUE] for key, value in joined.items() if value and len(key) <= 64}
    return dict(list(kept.items())[:MAX_KEYS])


def _joined(parts: list[str], key: str, lines: list[str]) -> str:
    """A list with commas, a block of text with spaces."""
    last = key.rpartition(".")[2]
    block = any(_BLOCK.search(line.rstrip()) and line.strip().startswith(last) for line in lines)
    return (" " if block else ", ").join(part for part in parts if part)


def _listed(value: str) -> list[str]:
    """The members of a list that is written in one line; a single word is a list of one."""
    value = value.strip()
    if value[:1] in "[{":
        value = value[1:].rstrip("]} ")
    elif "," not in value or value[:1] in "\"'":
        return [_bare(value.rstrip(","))]
    return [_bare(each) for each in value.split(",") if each.strip()]


def _without_remark(value: str) -> str:
    return value if value[:1] in "\"'" else re.sub(r"\s+#.*$", "", value)


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
