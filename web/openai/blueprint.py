"""/v1: the OpenAI-compatible endpoint. Each collection is a model `docent/<collection>`; `docent` is all of them.

Citations travel in `message.annotations` and as `[n]` in the text, doubts in lines below it. Errors have OpenAI's body
(web/errors.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from flask import jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from rag.abandonment import watched
from rag.answering.events import Ask, Done, Event, Token
from rag.errors import DocentError, InvalidRequestError, NotFoundError
from rag.types import Answer, AnswerPolicy, Message
from web import errors, sse
from web import serializers as values
from web.openai.footnotes import footnotes
from web.openai.schemas import ChatBody, EmbeddingsBody
from web.presence import client_gone
from web.serializers import Reply
from wiring import Services

TAG = Tag(name="openai", description="For clients that speak OpenAI's protocol.")
ALL = "docent"
MAX_TEXTS = 2048
PATIENCE_SECONDS = 10.0


def openai_blueprint(services: Services) -> APIBlueprint:
    """The routes under /v1."""
    api = APIBlueprint("openai", __name__, url_prefix="/v1", abp_tags=[TAG])

    @api.get("/models", summary="One model per collection, and one for all")
    def models() -> Reply:
        names = [ALL, *(f"{ALL}/{item.name}" for item in services.collections.all())]
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "docent"} for name in names]
        return jsonify({"object": "list", "data": data})

    @api.post("/chat/completions", summary="Ask, as a chat completion")
    def complete(body: ChatBody) -> Reply:
        services.startup.require(patience=PATIENCE_SECONDS)
        question, history = _conversation(body)
        ask = Ask(
            question=question,
            collections=_collections(services, body.model),
            top_k=services.settings.top_k,
            history=history,
            checked_only=body.stream,  # these clients cannot take text back
            answers=body.answers or AnswerPolicy(services.settings.answers),
        )
        left = client_gone(request.environ)
        with watched(left):
            events = services.answerer.events(ask)
        if body.stream:
            return sse.raw(_frames(events, body, errors.describer(), left))
        last = sse.last_of(events)
        assert isinstance(last, Done)
        return jsonify(_completion(last.answer, body.model))

    @api.post("/embeddings", summary="The service's own embedder")
    def embeddings(body: EmbeddingsBody) -> Reply:
        services.startup.require(patience=PATIENCE_SECONDS)
        texts = [body.input] if isinstance(body.input, str) else body.input
        if not 0 < len(texts) <= MAX_TEXTS:
            raise InvalidRequestError(f"input must hold 1 to {MAX_TEXTS} texts.", code="validation")
        vectors = services.embedder.embed_documents(texts)
        tokens = sum(services.embedder.count_tokens(texts))
        data = [
            {"object": "embedding", "index": index, "embedding": vector.tolist()}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return jsonify({"object": "list", "data": data, "model": services.embedder.model_id, "usage": usage})

    return api


def _conversation(body: ChatBody) -> tuple[str, list[Message]]:
    """The question, which is the last user message, and what was said before it."""
    last = max((i for i, message in enumerate(body.messages) if message.role == "user"), default=None)
    if last is None:
        raise InvalidRequestError("messages holds no user message.", code="validation")
    before = [Message(message.role, message.text) for message in body.messages[:last]]
    return body.messages[last].text, [message for message in before if message.role in ("user", "assistant")]


def _collections(services: Services, model: str) -> Sequence[str]:
    known = [item.name for item in services.collections.all()]
    if model == ALL:
        return known or [services.collections.ensure("default").name]
    name = model.removeprefix(f"{ALL}/")
    if name not in known:
        raise NotFoundError(f"There is no model {model[:200]!r}; GET /v1/models lists them.", code="model_not_found")
    return [name]


def _annotations(answer: Answer) -> list[dict[str, Any]]:
    """One per citation, in the shape of OpenAI's url_citation with our fields beside it."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": values.citation(citation)["url"],
                "title": citation.filename,
                "start_index": at,
                "end_index": at + len(mark),
            },
            "citation": values.citation(citation),
        }
        for citation in answer.citations
        for mark in [f"[{citation.n}]"]
        for at in [answer.answer.find(mark)]
    ]


def _usage(answer: Answer) -> dict[str, int]:
    used = answer.usage
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
    }


def _completion(answer: Answer, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.answer + footnotes(answer), "annotations": _annotations(answer)}
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(answer),
        "docent": values.answer(answer),
    }


def _frames(
    events: Iterator[Event],
    body: ChatBody,
    describe: Callable[[DocentError], dict[str, Any]],
    left: Callable[[], bool],
) -> Iterator[str]:
    """The chunks of an answer; where it fails on the way, an error in OpenAI's shape ends it instead of [DONE]."""
    try:
        with closing(sse.relay(events, left)) as relayed:
            yield from _chunks(relayed, body.model, with_usage=body.stream_options.include_usage)
    except DocentError as error:
        yield f"data: {json.dumps(describe(error), ensure_ascii=False)}\n\n"


def _chunks(events: Iterator[Event | None], model: str, *, with_usage: bool) -> Iterator[str]:
    base = {"id": f"chatcmpl-{time.time_ns():x}", "object": "chat.completion.chunk", "created": int(time.time())}

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return f"data: {json.dumps({**base, 'model': model, 'choices': choices, **more}, ensure_ascii=False)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for event in events:
        if event is None:
            yield sse.PING
        elif isinstance(event, Token):
            yield chunk({"content": event.text})
        elif isinstance(event, Done):
            if below := footnotes(event.answer):
                yield chunk({"content": below})
            yield chunk({"annotations": _annotations(event.answer)})
            yield chunk({}, "stop", docent=values.answer(event.answer))
            if with_usage:
                usage = {**base, "model": model, "choices": [], "usage": _usage(event.answer)}
                yield f"data: {json.dumps(usage)}\n\n"
    yield "data: [DONE]\n\n"
