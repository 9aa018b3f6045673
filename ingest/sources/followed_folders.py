"""Collections that follow a folder: the comparison and, when it is to be done, moves and deletions everywhere."""

from __future__ import annotations

from catalog.collections import check_name
from catalog.folders import FolderCatalog, FolderFiles, SyncPlan
from ingest.storage.library import Library


class Folders:
    """What the REST API and the command line ask about a folder. Thread-safe."""

    def __init__(self, catalog: FolderCatalog, library: Library) -> None:
        self._catalog = catalog
        self._library = library

    def diff(self, collection: str, folder: FolderFiles) -> SyncPlan:
        """What would make the collection equal to the folder. Raises InvalidRequestError for an impossible name."""
        check_name(collection)
        return self._catalog.diff(collection, folder)

    def rearrange(self, collection: str, folder: FolderFiles) -> SyncPlan:
        """Move and delete as the plan says; the files in `add` and `replace` remain to be uploaded.

        Raises:
            InvalidRequestError: an impossible name of a collection.
            UnavailableError: the catalog or the index cannot be written.
        """
        check_name(collection)
        plan = self._catalog.rearrange(collection, folder)
        self._library.forget(plan.removed)
        return plan
