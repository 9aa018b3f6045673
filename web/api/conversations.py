"""/api/v1/conversations: what was asked and answered."""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from catalog.conversations import Conversation, ConversationCatalog
from catalog.documents import DocumentCatalog
from web import serializers as values
from web.api.documents import listing
from web.api.schemas import ConversationEdit, ConversationPath, ConversationQuery, MessagesQuery
from web.serializers import Reply
from web.stored_answers import StoredAnswers

TAG = Tag(name="conversations", description="What was asked and answered.")


def conversations_blueprint(conversations: ConversationCatalog, documents: DocumentCatalog) -> APIBlueprint:
    """The routes of conversations."""
    api = APIBlueprint("conversations", __name__, url_prefix=f"{values.PREFIX}/conversations", abp_tags=[TAG])

    @api.get("", summary="List conversations")
    def find(query: ConversationQuery) -> Reply:
        found = conversations.recent(q=query.q, page=query.page, limit=query.limit)
        return jsonify(listing(found, query, _conversation))

    @api.get("/<string:conversation_id>/messages", summary="The questions and answers of one")
    def messages(path: ConversationPath, query: MessagesQuery) -> Reply:
        stored = StoredAnswers(documents)
        turns = conversations.turns(path.conversation_id)
        shown = [message for turn in turns for message in stored.messages(turn, with_tree=query.rendered)]
        return jsonify({"data": shown})

    @api.patch("/<string:conversation_id>", summary="Change its title")
    def edit(path: ConversationPath, body: ConversationEdit) -> Reply:
        return jsonify(_conversation(conversations.rename(path.conversation_id, body.title.strip())))

    @api.delete("/<string:conversation_id>", summary="Forget one")
    def delete(path: ConversationPath) -> Reply:
        conversations.delete(path.conversation_id)
        return "", 204

    return api


def _conversation(item: Conversation) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "created_at": values.timestamp(item.created_at),
        "updated_at": values.timestamp(item.updated_at),
    }
