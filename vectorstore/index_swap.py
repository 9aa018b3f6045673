"""Putting a space that was built anew into the place of another, such that a stop anywhere is settled at the next
start.

The new space is built under the negative id of its collection, its shadow. To replace: the old one is renamed aside,
the shadow takes its name and notes its model, the catalog notes the model (the caller's affair), and the old one goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from vectorstore.chroma import ChromaIndex

ASIDE = ".old"
MODEL = "embedding_model"


def shadow_of(collection: int) -> int:
    """The id of the space where a collection's new vectors are gathered."""
    return -collection


def replace(dense: ChromaIndex, collection: int, model_id: str) -> None:
    """Let the shadow take the place of a collection's space; `drop_replaced` is to follow once the catalog knows."""
    shadow = shadow_of(collection)
    dense.count(shadow)  # makes an empty one where there was nothing to embed
    dense.rename(collection, dense.name(collection) + ASIDE)
    dense.rename(shadow, dense.name(collection), {MODEL: model_id})


def drop_replaced(dense: ChromaIndex, collection: int) -> None:
    """Forget the space that was replaced."""
    dense.delete_named(dense.name(collection) + ASIDE)


def settle(dense: ChromaIndex, models: Mapping[int, str]) -> None:
    """At a start: finish or undo replacements that were cut off. `models` is the catalog's truth, by collection."""
    for collection in dense.spaces():
        if collection > 0 and collection not in models and dense.name(collection) + ASIDE not in dense.names():
            dense.delete_collection(collection)  # it was deleted while something was written into it
    spaces = dense.names()
    for name in spaces:
        if name.startswith(dense.name(-1)[:-1]):
            dense.delete_named(name)  # a shadow that was not finished
    for name in [name for name in spaces if name.endswith(ASIDE)]:
        main = name.removesuffix(ASIDE)
        collection = int(main.rsplit("_", 1)[1])
        if main in spaces and spaces[main].get(MODEL) == models.get(collection):
            dense.delete_named(name)
            continue
        dense.delete_named(main)
        dense.rename_named(name, main)
