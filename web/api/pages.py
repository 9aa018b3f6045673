"""/api/v1/documents/{id}/pages/{n}.png, /view and /excerpt: the cited characters of a document, where they stand.

Owns what the routes accept and answer. Pictures are drawn elsewhere, in a process of their own; the HTML of a view
holds escaped text only, and an excerpt nodes (web/rendering/markup.py).
"""

from __future__ import annotations

from flask import Response, jsonify, render_template, request, url_for
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from markupsafe import Markup
from pydantic import BaseModel, Field

from catalog.documents import DocumentCatalog
from ingest.storage.page_pictures import PagePictures
from rag.errors import InvalidRequestError, NotFoundError, UnsupportedTypeError
from rag.types import Document, Heading
from web import serializers as values
from web.api.schemas import MAX_OFFSET, DocumentPath
from web.rendering.document import MAX_CHARACTERS, html_of, needs_context, nodes_of, part_of, whole_lines
from web.serializers import Reply

TAG = Tag(name="documents", description="Files and their text.")
PDF, PICTURE = "application/pdf", "image/"
EDGE = 300  # characters within which an excerpt's edge is moved to a line's end
# Asked for again each time, because a document may be deleted; the tag makes that cheap.
CACHING = "private, no-cache"


class PicturePath(BaseModel):
    """A page of a document, 1-based."""

    document_id: str
    number: int


class HighlightQuery(BaseModel):
    """Which characters of the document's text to mark."""

    highlight: str | None = Field(
        default=None, pattern="^[0-9]{1,13}-[0-9]{1,13}$", description="START-END: characters of the text, half-open."
    )


class PictureQuery(HighlightQuery):
    """How to draw a page."""

    width: int = Field(default=1000, ge=64, le=2400, description="Width of the picture in pixels.")


class ViewQuery(HighlightQuery):
    """Which part of a long text to show."""

    start: int | None = Field(default=None, ge=0, le=MAX_OFFSET, description="Where the part begins.")


class ExcerptQuery(HighlightQuery):
    """Which part of the text to show."""

    start: int = Field(ge=0, le=MAX_OFFSET, description="Where the part begins.")
    end: int = Field(ge=0, le=MAX_OFFSET, description="Where it ends; at most 200,000 characters further on.")


def document_pages_blueprint(documents: DocumentCatalog, pictures: PagePictures) -> APIBlueprint:
    """The routes that show a document."""
    api = APIBlueprint("document_pages", __name__, url_prefix=f"{values.PREFIX}/documents", abp_tags=[TAG])

    @api.get(
        "/<string:document_id>/pages/<int:number>.png",
        summary="A page of a PDF or a photograph as a picture, a span marked",
        responses={200: {"description": "The picture.", "content": {"image/png": {}}}},
    )
    def picture(path: PicturePath, query: PictureQuery) -> Reply:
        document = documents.document(path.document_id)
        if document.media_type != PDF and not document.media_type.startswith(PICTURE):
            raise UnsupportedTypeError(
                f"{document.filename!r} has no pages to draw: pictures are made of PDFs and photographs. "
                "Its text with the span marked is at …/view.",
                details={"accepted": [".pdf"]},
            )
        return _picture(documents, pictures, document, path.number, query)

    @api.get(
        "/<string:document_id>/view",
        summary="The text as HTML, a span marked",
        responses={200: {"description": "The page.", "content": {"text/html": {}}}},
    )
    def view(path: DocumentPath, query: ViewQuery) -> Reply:
        return _view(documents, documents.document(path.document_id), query)

    @api.get("/<string:document_id>/excerpt", summary="A part of the text as a tree of nodes, a span marked")
    def excerpt(path: DocumentPath, query: ExcerptQuery) -> Reply:
        return _excerpt(documents, documents.document(path.document_id), query)

    return api


def _picture(
    documents: DocumentCatalog, pictures: PagePictures, document: Document, number: int, query: PictureQuery
) -> Response:
    spans = documents.pages(document.id)
    if not spans:
        documents.text(document.id, end=0)  # says why, where there is no text yet
    length = max((span.end for span in spans), default=0)
    start, end = _span(query.highlight, length)
    page = next((span for span in spans if span.number == number), None)
    if page is None:
        raise NotFoundError(f"There is no page {number}: the document has {len(spans)}.", code="page_not_found")
    first, last = max(start, page.start) - page.start, min(end, page.end) - page.start
    text = documents.text(document.id, start=page.start, end=page.end) if first < last else ""
    commission = pictures.commission(
        document.id,
        document.sha256,
        number=number,
        width=query.width,
        text=text,
        start=first if text else 0,
        end=last if text else 0,
    )
    if request.if_none_match.contains(commission.tag):
        response = Response(status=304)
    else:
        drawn = pictures.draw(commission)
        response = Response(drawn.png, mimetype="image/png")
        response.headers["X-Marked"] = f"{drawn.found}/{drawn.wanted}"
    response.set_etag(commission.tag)
    response.headers["Cache-Control"] = CACHING
    return response


def _view(documents: DocumentCatalog, document: Document, query: ViewQuery) -> Response:
    length, headings = documents.outline(document.id)
    start, end = _span(query.highlight, length)
    focus = start if query.highlight and query.start is None else None
    begin, stop = part_of(length, at=query.start or 0, focus=focus)
    begin, text = whole_lines(documents.text(document.id, start=begin, end=stop), begin, length)
    stop = begin + len(text)
    kind = _kind(document, begin, headings)
    nodes = nodes_of(text, headings, media_type=kind, offset=begin, marked=(start, end))

    def part(at: int) -> str:
        return url_for(".view", document_id=document.id, start=at, highlight=query.highlight)

    response = Response(
        render_template(
            "view.html",
            filename=document.filename,
            body=Markup(html_of(nodes)),  # noqa: S704  # escaped there
            earlier=part(max(begin - (stop - begin), 0)) if begin else None,
            later=part(stop) if stop < length else None,
        )
    )
    response.headers["Cache-Control"] = CACHING
    response.add_etag()
    response.make_conditional(request)
    return response


def _excerpt(documents: DocumentCatalog, document: Document, query: ExcerptQuery) -> Reply:
    """The blocks in which the wanted characters stand; of a text that needs no context, its lines."""
    length, headings = documents.outline(document.id)
    marked = _span(query.highlight, length)
    first, last = query.start, min(query.end, length, query.start + MAX_CHARACTERS)
    if needs_context(document.media_type):
        begin, stop = part_of(length, at=first, focus=first)
        begin = max((h.start for h in headings if begin <= h.start <= first), default=begin) if begin else 0
        text = documents.text(document.id, start=begin, end=stop)
    else:
        begin, stop = max(first - EDGE, 0), min(last + EDGE, length)
        read = documents.text(document.id, start=begin, end=stop)
        begin, text = whole_lines(read, begin, length, slack=EDGE)
        first, last = min(first, begin), max(last, begin + len(text))
    kind = _kind(document, begin, headings)
    nodes = nodes_of(text, headings, media_type=kind, offset=begin, marked=marked, shown=(first, last))
    words = documents.text(document.id, start=marked[0], end=marked[1]) if query.highlight else ""
    response = jsonify({"start": first, "end": last, "characters": length, "marked": words, "nodes": nodes})
    response.headers["Cache-Control"] = CACHING
    return response


def _kind(document: Document, begin: int, headings: list[Heading]) -> str:
    """What a part is shown as: plain text where it begins amid a text of which it cannot be told what it is there."""
    amid = begin > 0 and needs_context(document.media_type) and all(heading.start != begin for heading in headings)
    return "text/plain" if amid else document.media_type


def _span(highlight: str | None, length: int) -> tuple[int, int]:
    """The characters to mark. Raises InvalidRequestError for what is no span of a text of `length`."""
    if highlight is None:
        return 0, 0
    start, end = map(int, highlight.split("-"))
    if not start < end <= length:
        raise InvalidRequestError(
            f"highlight={highlight} is no span of this document, whose text has {length} characters.", code="validation"
        )
    return start, end
