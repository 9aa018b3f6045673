"""Collections: named sets of documents that share one embedding model, which may be another than its neighbour's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from catalog.engine import Database
from catalog.mappers import now
from catalog.tables import collections, documents
from rag.chunking_config import ChunkingConfig, parse
from rag.errors import InvalidRequestError, NotFoundError
from rag.retrieval.embedding_spaces import unknown_model
from rag.types import Collection

DEFAULT_RECIPE = ChunkingConfig(200)
# Any script, but nothing that would be awkward in a URL's path or on a screen.
_NAME = re.compile(r"[^\W_][\w .\-]{0,127}")


class CollectionCatalog:
    """Reads and creates collections. Deleting one is the library's affair, for it takes documents along.

    `embedding_model` and `recipe` are those of new collections; `knows` says of any other model whether this server can
    load it.
    """

    def __init__(
        self,
        database: Database,
        *,
        embedding_model: str,
        recipe: ChunkingConfig = DEFAULT_RECIPE,
        knows: Callable[[str], bool] = lambda _model: False,
    ) -> None:
        self._database = database
        self.default_recipe = recipe
        self._embedding_model = embedding_model
        self._knows = knows

    def ensure(self, name: str) -> Collection:
        """The collection of that name, made if there is none.

        Raises:
            InvalidRequestError: not a possible name.
            ConflictError: it was made with an embedding model that this server cannot load.
        """
        check_name(name)
        with self._database.write() as connection:
            if _named(connection, name) is None:
                connection.execute(
                    insert(collections).values(
                        name=name,
                        embedding_model=self._embedding_model,
                        recipe=str(self.default_recipe),
                        created_at=now(),
                    )
                )
        found = self.get(name)
        if found.embedding_model != self._embedding_model and not self._knows(found.embedding_model):
            raise unknown_model(name, found.embedding_model, self._embedding_model)
        return found

    def ensure_writable(self, name: str) -> Collection:
        """The same, for documents that are to be put into it.

        Raises:
            InvalidRequestError, ConflictError: as `ensure`.
            ConflictError: its documents are cut in a way that this Docent does not know.
        """
        found = self.ensure(name)
        parse(found.recipe, name)
        return found

    def get(self, name: str) -> Collection:
        """The collection of that name. Raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(_counted().where(collections.c.name == name)).first()
        if row is None:
            raise NotFoundError(f"There is no collection {name!r}.", code="collection_not_found")
        return _to_collection(row)

    def origin(self, collection: int) -> tuple[str, str]:
        """Name and embedding model of the collection with that id. Raises NotFoundError."""
        wanted = select(collections.c.name, collections.c.embedding_model).where(collections.c.id == collection)
        with self._database.read() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            raise NotFoundError("The collection does not exist any more.", code="collection_not_found")
        return row.name, row.embedding_model

    def recipe(self, collection: int) -> ChunkingConfig:
        """How the documents of a collection are cut. Raises NotFoundError, ConflictError."""
        with self._database.read() as connection:
            wanted = select(collections.c.name, collections.c.recipe).where(collections.c.id == collection)
            row = connection.execute(wanted).first()
        if row is None:
            raise NotFoundError("The collection does not exist any more.", code="collection_not_found")
        return parse(row.recipe or str(self.default_recipe), row.name)

    def stored_recipe(self, collection: int) -> str:
        """The recipe as it is stored, whether it can be followed or not."""
        with self._database.read() as connection:
            found = connection.execute(select(collections.c.recipe).where(collections.c.id == collection)).scalar()
        return found or str(self.default_recipe)

    def adopt_chunking_config(self) -> None:
        """At a start: collections from before recipes were kept get that of new ones."""
        with self._database.write() as connection:
            unknown = collections.c.recipe.is_(None)
            connection.execute(update(collections).where(unknown).values(recipe=str(self.default_recipe)))

    def embedding_models(self) -> list[str]:
        """The embedding models of all collections, each once."""
        with self._database.read() as connection:
            return list(connection.execute(select(collections.c.embedding_model).distinct()).scalars())

    def models(self) -> dict[int, str]:
        """What the vectors of each collection were made by, by its id: see `identity`."""
        with self._database.read() as connection:
            rows = connection.execute(select(collections.c.id, collections.c.embedding_model, collections.c.recipe))
            return {row.id: identity(row.embedding_model, row.recipe or str(self.default_recipe)) for row in rows}

    def all(self) -> list[Collection]:
        """Every collection, by name."""
        with self._database.read() as connection:
            return [_to_collection(row) for row in connection.execute(_counted().order_by(collections.c.name))]

    def ids(self, names: Sequence[str]) -> list[int]:
        """See `rag.ports.PassageStore.collection_ids`."""
        with self._database.read() as connection:
            rows = connection.execute(select(collections.c.name, collections.c.id).where(collections.c.name.in_(names)))
            found = {row.name: row.id for row in rows}
        return [found[name] if name in found else self.get(name).id for name in dict.fromkeys(names)]


def identity(embedding_model: str, recipe: str) -> str:
    """What the vectors of a collection are made by: model and chunks. Other ones cannot stand beside them."""
    return f"{embedding_model} {recipe}"


def check_name(name: str) -> None:
    """Raise InvalidRequestError unless `name` can name a collection."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise InvalidRequestError(
            f"{name[:200]!r} cannot name a collection: use 1 to 128 letters, digits, spaces, '.', '-' or '_', "
            "beginning with a letter or digit.",
            code="invalid_collection",
        )


def _named(connection: Connection, name: str) -> Any:
    return connection.execute(select(collections).where(collections.c.name == name)).first()


def _counted() -> Any:
    return (
        select(
            collections,
            func.count(documents.c.id).label("documents"),
            func.coalesce(func.sum(documents.c.chunks), 0).label("chunks"),
        )
        .join(documents, (documents.c.collection_id == collections.c.id) & documents.c.live, isouter=True)
        .group_by(collections.c.id)
    )


def _to_collection(row: Any) -> Collection:
    return Collection(
        id=row.id,
        name=row.name,
        embedding_model=row.embedding_model,
        created_at=row.created_at.replace(tzinfo=UTC),
        documents=row.documents,
        chunks=row.chunks,
        recipe=row.recipe or "",
    )
