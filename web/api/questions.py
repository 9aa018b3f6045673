"""/api/v1/search and /api/v1/ask: passages, and answers as JSON or as a stream of events."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

from flask import jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from rag.abandonment import watched
from rag.answering.events import Ask, Done, Event
from rag.errors import UnavailableError
from rag.types import AnswerPolicy, Message
from web import errors, sse
from web import serializers as values
from web.api.schemas import AnswerPath, AskBody, FeedbackBody, SearchBody
from web.presence import client_gone
from web.rendering.live import rendered_frames
from web.serializers import Reply
from wiring import DEFAULT_COLLECTION, Services

log = logging.getLogger(__name__)
TAG = Tag(name="questions", description="Search, and answers whose every sentence is checked.")
# A question that comes while the models load waits this long before it gets 503.
PATIENCE_SECONDS = 10.0


def questions_blueprint(services: Services) -> APIBlueprint:
    """The routes of search, ask and feedback."""
    api = APIBlueprint("questions", __name__, url_prefix=values.PREFIX, abp_tags=[TAG])

    @api.post("/search", summary="Find passages")
    def search(body: SearchBody) -> Reply:
        services.startup.require(patience=PATIENCE_SECONDS)
        found = services.retriever.search(
            body.query,
            collections=_known(services, body.collections),
            top_k=body.top_k,
            mode=body.mode,
            filters=body.filters,
        )
        return jsonify(values.retrieval(found))

    @api.post("/ask", summary="Ask a question")
    def ask(body: AskBody) -> Reply:
        services.startup.require(patience=PATIENCE_SECONDS)
        question = Ask(
            question=body.question,
            collections=_known(services, body.collections),
            top_k=body.top_k or services.settings.top_k,
            filters=body.filters,
            conversation_id=body.conversation_id or uuid.uuid4().hex,
            history=_history(services, body),
            answers=body.answers or AnswerPolicy(services.settings.answers),
        )
        with watched(client_gone(request.environ)):
            events = _recorded(services, services.answerer.events(question))
        if body.stream or "text/event-stream" in request.accept_mimetypes.values():
            frames = rendered_frames(events) if body.rendered else map(values.event, events)
            return sse.stream(frames, errors.describer())
        last = sse.last_of(events)
        assert isinstance(last, Done)
        return jsonify(values.event(last, with_tree=body.rendered)[1])

    @api.post("/answers/<string:answer_id>/feedback", summary="Rate an answer")
    def rate(path: AnswerPath, body: FeedbackBody) -> Reply:
        services.conversations.rate(path.answer_id, rating=body.rating, comment=body.comment)
        return jsonify({"answer_id": path.answer_id, "rating": body.rating})

    return api


def _history(services: Services, body: AskBody) -> list[Message]:
    """What was said before: what the server remembers, then what the client sent, without the question itself."""
    known = services.conversations.history(body.conversation_id) if body.conversation_id else []
    sent = [Message(turn.role, turn.content) for turn in body.messages]
    if sent and sent[-1].role == "user" and sent[-1].content.strip() == body.question.strip():
        sent.pop()
    return [*known, *sent]


def _known(services: Services, names: list[str]) -> list[str]:
    """The default collection exists from the start, even before the first upload."""
    if DEFAULT_COLLECTION in names:
        services.collections.ensure(DEFAULT_COLLECTION)
    return names


def _recorded(services: Services, events: Iterator[Event]) -> Iterator[Event]:
    """Pass the events on; store the answer before its last event leaves, so that it can be rated at once."""
    for event in events:
        if isinstance(event, Done):
            conversation: Any = event.answer.conversation_id
            try:
                services.conversations.save(event.answer, conversation)
            except UnavailableError as error:  # a full disk costs the memory of the answer, not the answer
                log.warning("an answer is not stored: %s", error.code)
        yield event
