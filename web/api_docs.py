"""An OpenAPI document as tables that need no script: the API reference for people. Pure functions."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
MAX_DEPTH = 3  # nested objects shown in a field table before only the type's name is given

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One line of a field table; `name` is a path such as `documents[].id`."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class BodyTable:
    """The fields of a request body in one media type."""

    media_type: str
    rows: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True)
class ResponseTable:
    """What one status code answers."""

    status: str
    description: str
    media_types: str
    rows: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True)
class OperationView:
    """One operation of the API, ready to be shown."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[FieldRow, ...]
    bodies: tuple[BodyTable, ...]
    responses: tuple[ResponseTable, ...]
    curl: str


@dataclass(slots=True)
class Group:
    """The operations that carry one tag, in the order of the document."""

    name: str
    anchor: str
    description: str = ""
    operations: list[OperationView] = field(default_factory=list)


def reference_groups(document: Schema, *, base_url: str, with_token: bool) -> list[Group]:
    """The operations of an OpenAPI 3 document by their first tag; groups without operations are left out.

    Args:
        document: the OpenAPI document.
        base_url: scheme and host for the curl examples, without a slash at the end.
        with_token: whether the examples carry an Authorization header.
    """
    groups = {
        tag["name"]: Group(tag["name"], _anchor(tag["name"]), tag.get("description") or "")
        for tag in document.get("tags", [])
    }
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            operation = {
                **item[method],
                "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])],
            }
            name = (operation.get("tags") or ["Other"])[0]
            group = groups.setdefault(name, Group(name, _anchor(name)))
            group.operations.append(_operation(document, method, path, operation, base_url, with_token))
    return [group for group in groups.values() if group.operations]


def _operation(
    document: Schema, method: str, path: str, operation: Schema, base_url: str, with_token: bool
) -> OperationView:
    parameters = [_resolve(document, parameter) for parameter in operation["parameters"]]
    content = _resolve(document, operation.get("requestBody", {})).get("content", {})
    responses = []
    for status, raw in sorted(operation.get("responses", {}).items()):
        response = _resolve(document, raw)
        media = response.get("content", {})
        rows = next((_rows(document, part.get("schema", {})) for part in media.values()), ())
        responses.append(ResponseTable(str(status), response.get("description", ""), ", ".join(media), rows))
    return OperationView(
        anchor=_anchor(f"{method} {path}"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary") or "",
        description=operation.get("description") or "",
        parameters=tuple(_parameter_row(document, parameter) for parameter in parameters),
        bodies=tuple(BodyTable(name, _rows(document, part.get("schema", {}))) for name, part in content.items()),
        responses=tuple(responses),
        curl=_curl(document, method, base_url + path, content, with_token),
    )


def _parameter_row(document: Schema, parameter: Schema) -> FieldRow:
    schema = parameter.get("schema", {})
    about = parameter.get("description") or _about(_resolve(document, schema))
    place = parameter.get("in", "query")
    return FieldRow(parameter["name"], f"{_type(document, schema)}, in {place}", bool(parameter.get("required")), about)


def _resolve(document: Schema, node: Schema) -> Schema:
    """Follow local `$ref`s, and the one branch of an `anyOf`/`allOf` that is not null."""
    for _ in range(8):  # a chain of references is short; a circle of them must end
        branches = [branch for branch in node.get("anyOf") or node.get("allOf") or [] if branch.get("type") != "null"]
        if "$ref" in node:
            target: Any = document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target.get(key, {})
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        elif len(branches) == 1:
            node = {**branches[0], **{key: value for key, value in node.items() if key not in ("anyOf", "allOf")}}
        else:
            break
    return node


def _type(document: Schema, schema: Schema) -> str:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return " or ".join(dict.fromkeys(_type(document, branch) for branch in branches))
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    resolved = _resolve(document, schema)
    if "enum" in resolved:
        return _type(document, {"enum": resolved["enum"]})
    if resolved.get("type") == "array":
        return f"list of {_type(document, resolved.get('items', {}))}"
    if resolved.get("format") == "binary":
        return "file"
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    return str(resolved.get("type", "any"))


def _about(schema: Schema) -> str:
    about = str(schema.get("description") or "").strip()
    if schema.get("default") is not None:
        about += f" Default: {json.dumps(schema['default'], ensure_ascii=False)}."
    return about.strip()


def _rows(document: Schema, schema: Schema) -> tuple[FieldRow, ...]:
    return tuple(_walk(document, schema, "", 0))


def _walk(document: Schema, schema: Schema, prefix: str, depth: int) -> Iterator[FieldRow]:
    schema = _resolve(document, schema)
    if schema.get("type") == "array":
        yield from _walk(document, schema.get("items", {}), f"{prefix}[]", depth)
        return
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield FieldRow(path, _type(document, part), name in required, _about(_resolve(document, part)))
        if depth + 1 < MAX_DEPTH:
            yield from _walk(document, part, path, depth + 1)


def _curl(document: Schema, method: str, url: str, content: Schema, with_token: bool) -> str:
    lines = [f"curl {'' if method == 'get' else f'-X {method.upper()} '}{shlex.quote(url)}"]
    if with_token:
        lines.append('-H "Authorization: Bearer $DOCENT_API_TOKEN"')
    if "multipart/form-data" in content:
        fields = _resolve(document, content["multipart/form-data"].get("schema", {})).get("properties", {})
        lines.append(f"-F {next(iter(fields), 'file')}=@handbook.pdf")
    elif "application/json" in content:
        body = _example(document, content["application/json"].get("schema", {}), 0)
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    return " \\\n  ".join(lines)


def _example(document: Schema, schema: Schema, depth: int) -> Any:
    """A value that fits: the schema's own example or default, else a plain one of its type."""
    schema = _resolve(document, schema)
    for key in ("example", "default"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    if "properties" in schema and depth < MAX_DEPTH:
        wanted = schema.get("required") or list(schema["properties"])
        return {name: _example(document, schema["properties"].get(name, {}), depth + 1) for name in wanted}
    plain: dict[str, Any] = {"integer": 1, "number": 0.5, "boolean": False, "array": [], "object": {}, "string": "text"}
    return plain.get(str(schema.get("type")))


def _anchor(text: str) -> str:
    return re.sub(r"\W+", "-", text).strip("-").lower()
