"""The embedding models of a server's collections: loaded at the start, and told where one cannot be.

A collection whose model does not load answers no question. That is said when the server starts, not at the first question.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from rag.adapters.embedding.embedders import Embedders, Report, models_to_load
from rag.errors import ConfigurationError, DocentError

MEND = "`python -m ingest reindex --change-model` makes their vectors anew with {default}"
SHOWN = 5
log = logging.getLogger(__name__)


class CollectionModels:
    """What loads the models. `models` tells the model's id of each collection, by name."""

    def __init__(self, embedders: Embedders, models: Callable[[], Mapping[str, str]]) -> None:
        self._embedders = embedders
        self._models = models
        self._problems: dict[str, str] = {}

    def load(self, report: Report = lambda _: None) -> None:
        """Load the default model, and those of the collections; one of these may fail without making the start fail.

        Raises:
            ConfigurationError, UnavailableError: the default model does not load.
        """
        default = self._embedders.default_id
        for model_id in models_to_load(self._models().values(), self._embedders):
            try:
                self._embedders.load(model_id, report)
            except DocentError as error:
                if model_id == default:
                    raise ConfigurationError(
                        f"{error.message} Until the embedding model loads, nothing can be searched. To change it, set "
                        "DOCENT_EMBEDDING_MODEL, start again and run `python -m ingest reindex --change-model`."
                    ) from error
                self._problems[model_id] = error.message

    def check(self, _report: Report = lambda _: None) -> None:
        """Whether every collection can be searched, once `load` has been called. Raises ConfigurationError."""
        found = []
        for name, model_id in self._models().items():
            if not self._embedders.knows(model_id):
                found.append(f"{name!r} was made with {model_id}, which these settings do not name")
            elif problem := self._problems.get(model_id):
                found.append(f"the model of {name!r} does not load: {problem.rstrip('.')}")
        if found:
            more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            mend = MEND.format(default=self._embedders.default_id)
            raise ConfigurationError(f"Some collections cannot be searched: {'; '.join(found[:SHOWN])}{more}. {mend}.")
