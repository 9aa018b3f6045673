"""The filled fields of PDF forms and the notes that readers left, which are no part of a page's text.

Owns the calls of pdfium for them. Must not change a form.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from ingest.readers.text.normalisation import collapse

Box = tuple[float, float, float, float]
"""Left, bottom, right and top edge in points, as the page's own content is placed: neither turned nor cropped."""


def filled_fields(document: Any, page: Any) -> Iterator[str]:
    """Form fields with a value as "name: value", and the words of notes, in the order of the page."""
    return (text for text, _ in placed_fields(document, page))


def placed_fields(document: Any, page: Any) -> Iterator[tuple[str, Box]]:
    """As `filled_fields`, each with the box of its widget."""
    import pypdfium2.raw as raw

    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                text = _field(raw, document, annotation)
            elif kind in (raw.FPDF_ANNOT_FREETEXT, *_notes(raw)):
                text = _contents(raw, annotation)
                text = f"Note: {text}" if text and kind != raw.FPDF_ANNOT_FREETEXT else text
            else:
                continue
            if text:
                yield text, _box(raw, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _notes(raw: Any) -> tuple[int, ...]:
    """Kinds of marks that carry what a reader wrote about the page."""
    return (
        raw.FPDF_ANNOT_TEXT,
        raw.FPDF_ANNOT_HIGHLIGHT,
        raw.FPDF_ANNOT_UNDERLINE,
        raw.FPDF_ANNOT_STRIKEOUT,
        raw.FPDF_ANNOT_CARET,
    )


def _contents(raw: Any, annotation: Any) -> str:
    def contents(_: Any, handle: Any, buffer: Any, size: int) -> int:
        return int(raw.FPDFAnnot_GetStringValue(handle, b"Contents", buffer, size))

    return _wide(contents, None, annotation)


def _field(raw: Any, document: Any, annotation: Any) -> str:
    """A form field as "name: value"; "" without a value, and where the document has no form."""
    if not document.formenv:
        return ""
    form = document.formenv.raw
    name = _wide(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    name = name or _wide(raw.FPDFAnnot_GetFormFieldName, form, annotation)
    value = _field_value(raw, form, annotation)
    return f"{name}: {value}" if name and value else value


def _box(raw: Any, annotation: Any) -> Box:
    edges = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, edges)
    return edges.left, edges.bottom, edges.right, edges.top


def _field_value(raw: Any, form: Any, annotation: Any) -> str:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        if not raw.FPDFAnnot_IsChecked(form, annotation):
            return ""
        exported = _wide(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation)
        return exported if exported not in ("", "On", "1") else "yes"
    if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
        return ""
    return _wide(raw.FPDFAnnot_GetFormFieldValue, form, annotation)


def _wide(function: Any, form: Any, annotation: Any) -> str:
    """A string that pdfium hands out as UTF-16, on one line."""
    size = function(form, annotation, None, 0)
    if not 2 < size < 1 << 20:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    function(form, annotation, buffer, size)
    text = bytes(buffer)[:size].decode("utf-16-le", "replace").rstrip("\0")
    return collapse(" ".join(text.split()))
