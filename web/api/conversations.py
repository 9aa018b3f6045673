"""/api/v1/conversations: what was asked and answered."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from web import values
from web.api.documents import listing
from web.api.schemas import ConversationPath, Paging
from web.values import Reply
from wiring import Services

TAG = Tag(name="conversations", description="What was asked and answered.")


def conversations_blueprint(services: Services) -> APIBlueprint:
    """The routes of conversations."""
    api = APIBlueprint("conversations", __name__, url_prefix=f"{values.PREFIX}/conversations", abp_tags=[TAG])

    @api.get("", summary="List conversations")
    def find(query: Paging) -> Reply:
        found = services.conversations.recent(page=query.page, limit=query.limit)
        return jsonify(listing(found, query, _conversation))

    @api.get("/<string:conversation_id>/messages", summary="The questions and answers of one")
    def messages(path: ConversationPath) -> Reply:
        turns = services.conversations.turns(path.conversation_id)
        return jsonify({"data": [message for turn in turns for message in _messages(turn)]})

    @api.delete("/<string:conversation_id>", summary="Forget one")
    def delete(path: ConversationPath) -> Reply:
        services.conversations.delete(path.conversation_id)
        return "", 204

    return api


def _conversation(item: Any) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "created_at": values.timestamp(item.created_at),
        "updated_at": values.timestamp(item.updated_at),
    }


def _messages(turn: Any) -> list[dict[str, Any]]:
    created = values.timestamp(turn.created_at.replace(tzinfo=UTC))
    return [
        {"role": "user", "content": turn.question, "created_at": created},
        {
            "role": "assistant",
            "content": turn.answer,
            "answer_id": turn.id,
            "answered": turn.answered,
            "reason": turn.reason,
            "citations": turn.citations,
            "created_at": created,
        },
    ]
