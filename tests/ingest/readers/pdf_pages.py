"""PDF pages with text at any place, for the tests of columns, tables, turned pages and forms."""

from __future__ import annotations

from tests.ingest.conftest import _assembled, _escaped

Place = tuple[float, float, str]
"""Left edge and baseline in points, and the text."""


def make_page(
    texts: list[Place],
    *,
    rotate: int = 0,
    size: int = 10,
    fields: list[tuple[str, str]] | None = None,
    notes: list[tuple[str, str]] | None = None,
) -> bytes:
    """A PDF of one page in Helvetica, drawn in the order given. `fields` are text fields with a value, without appearance; `notes` are marks with their subtype and words.

    `rotate`: the page is drawn sideways and says that it is to be shown turned by so many degrees, so that it looks the same.
    """
    content = b"".join(b"BT /F1 %d Tf %f %f Td (%s) Tj ET\n" % (size, x, y, _escaped(text)) for x, y, text in texts)
    turns = {0: b"", 90: b"0 1 -1 0 792 0 cm ", 180: b"-1 0 0 -1 612 792 cm ", 270: b"0 -1 1 0 0 612 cm "}
    content = turns[rotate] + content
    box = b"0 0 792 612" if rotate in (90, 270) else b"0 0 612 792"
    widgets = [
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(%s)/V(%s)/Rect[72 %d 300 %d]/P 3 0 R/DA(/F1 10 Tf)>>"
        % (_escaped(name), _escaped(value), 600 - 20 * i, 612 - 20 * i)
        for i, (name, value) in enumerate(fields or [])
    ]
    widgets += [
        b"<</Type/Annot/Subtype/%s/Contents(%s)/Rect[72 500 300 520]/P 3 0 R>>" % (kind.encode(), _escaped(value))
        for kind, value in notes or []
    ]
    references = b" ".join(b"%d 0 R" % (6 + i) for i in range(len(widgets)))
    return _assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]/DR<</Font<</F1 5 0 R>>>>>>>>" % references
            if widgets
            else b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Rotate %d/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/Annots[%s]>>"
            % (box, rotate, references),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
            *widgets,
            b"<<>>",
        ]
    )
