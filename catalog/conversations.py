"""Conversations, answers and feedback. Quotes are not kept here: an answer remembers spans, the document its text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from catalog.documents import Page
from catalog.engine import Database
from catalog.mappers import now
from catalog.tables import answer_citations, answers, conversations, feedback
from rag.errors import NotFoundError
from rag.types import Answer, Certainty, Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; `title` is its first question, shortened, until somebody changes it."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CitingAnswer:
    """An answer that cites a document, and where: `spans` are (n, start, end), characters of the document,
    half-open.
    """

    answer_id: str
    conversation_id: str
    question: str
    spans: tuple[tuple[int, int, int], ...]
    created_at: datetime


class ConversationCatalog:
    """Stores what was asked and answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, answer: Answer, conversation_id: str) -> None:
        """Store an answer, and its conversation where it is the first."""
        present = now()
        spans = [
            {"n": c.n, "document_id": c.document_id, "char_start": c.char_start, "char_end": c.char_end}
            for c in answer.citations
        ]
        with self._database.write() as connection:
            known = connection.execute(
                update(conversations).where(conversations.c.id == conversation_id).values(updated_at=present)
            ).rowcount
            if not known:
                connection.execute(
                    insert(conversations).values(
                        id=conversation_id, title=answer.question[:120], created_at=present, updated_at=present
                    )
                )
            connection.execute(
                insert(answers).values(
                    id=answer.id,
                    conversation_id=conversation_id,
                    question=answer.question,
                    answer=answer.answer,
                    answered=answer.answered,
                    reason=answer.reason,
                    groundedness=answer.groundedness,
                    citations=spans,
                    sentences=[[s.start, s.end, s.verdict, s.checked_by] for s in answer.sentences],
                    certainty=answer.certainty,
                    nearest=[
                        {"document_id": p.document_id, "char_start": p.char_start, "char_end": p.char_end}
                        for p in (() if answer.certainty == Certainty.HIGH else answer.nearest)
                    ],
                    model=answer.model,
                    created_at=present,
                )
            )
            if spans:
                rows = [{"answer_id": answer.id, "position": at, **span} for at, span in enumerate(spans)]
                connection.execute(insert(answer_citations), rows)

    def require(self, conversation_id: str) -> None:
        """Raise NotFoundError unless there is such a conversation."""
        with self._database.read() as connection:
            if (
                connection.execute(select(conversations.c.id).where(conversations.c.id == conversation_id)).first()
                is None
            ):
                raise NotFoundError(
                    f"There is no conversation {conversation_id[:64]!r}.", code="conversation_not_found"
                )

    def recent(self, *, q: str | None = None, page: int, limit: int) -> Page:
        """Conversations, the latest first; `q` is part of the title or of a question, without regard to case."""
        query = select(conversations)
        if q:
            asked = select(answers.c.conversation_id).where(answers.c.question.icontains(q, autoescape=True))
            query = query.where(conversations.c.title.icontains(q, autoescape=True) | conversations.c.id.in_(asked))
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            rows = connection.execute(
                query.order_by(conversations.c.updated_at.desc(), conversations.c.id)
                .limit(limit)
                .offset((page - 1) * limit)
            )
            items = [
                Conversation(r.id, r.title, r.created_at.replace(tzinfo=UTC), r.updated_at.replace(tzinfo=UTC))
                for r in rows
            ]
        return Page(items, total)

    def turns(self, conversation_id: str) -> list[Any]:
        """Its answers in order, as rows of the answers table. Raises NotFoundError."""
        self.require(conversation_id)
        query = (
            select(answers, feedback.c.rating, feedback.c.comment)
            .join(feedback, feedback.c.answer_id == answers.c.id, isouter=True)
            .where(answers.c.conversation_id == conversation_id)
            .order_by(answers.c.created_at)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).all())

    def citing(self, document_id: str, *, page: int, limit: int) -> Page:
        """The answers that cite a document, as `CitingAnswer`, the latest first."""
        cited = answer_citations.c
        having = answers.c.id.in_(select(cited.answer_id).where(cited.document_id == document_id))
        query = (
            select(answers.c.id, answers.c.conversation_id, answers.c.question, answers.c.created_at)
            .where(having)
            .order_by(answers.c.created_at.desc(), answers.c.id)
            .limit(limit)
            .offset((page - 1) * limit)
        )
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(answers).where(having)).scalar_one()
            rows = connection.execute(query).all()
            spans: dict[str, list[tuple[int, int, int]]] = {row.id: [] for row in rows}
            places = (
                select(cited.answer_id, cited.n, cited.char_start, cited.char_end)
                .where(cited.document_id == document_id, cited.answer_id.in_(list(spans)))
                .order_by(cited.answer_id, cited.position)
            )
            for answer_id, *span in connection.execute(places):
                spans[answer_id].append((span[0], span[1], span[2]))
        items = [
            CitingAnswer(r.id, r.conversation_id, r.question, tuple(spans[r.id]), r.created_at.replace(tzinfo=UTC))
            for r in rows
        ]
        return Page(items, total)

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title. Raises NotFoundError."""
        self.require(conversation_id)
        with self._database.write() as connection:
            connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(title=title))
        with self._database.read() as connection:
            row = connection.execute(select(conversations).where(conversations.c.id == conversation_id)).one()
        return Conversation(row.id, row.title, row.created_at.replace(tzinfo=UTC), row.updated_at.replace(tzinfo=UTC))

    def history(self, conversation_id: str) -> list[Message]:
        """Its turns as chat messages. Raises NotFoundError."""
        found = []
        for row in self.turns(conversation_id):
            found += [Message("user", row.question), Message("assistant", row.answer)]
        return found

    def delete(self, conversation_id: str) -> None:
        """Forget a conversation with its answers and their feedback. Raises NotFoundError."""
        self.require(conversation_id)
        with self._database.write() as connection:
            connection.execute(delete(conversations).where(conversations.c.id == conversation_id))

    def rate(self, answer_id: str, *, rating: str, comment: str | None) -> None:
        """Store feedback on an answer, instead of any before. Raises NotFoundError."""
        with self._database.write() as connection:
            if connection.execute(select(answers.c.id).where(answers.c.id == answer_id)).first() is None:
                raise NotFoundError(f"There is no answer {answer_id[:64]!r}.", code="answer_not_found")
            connection.execute(delete(feedback).where(feedback.c.answer_id == answer_id))
            connection.execute(
                insert(feedback).values(answer_id=answer_id, rating=rating, comment=comment, created_at=now())
            )
