"""`docent eval draft`: prints golden lines that the chat model drafted and a chunk bears out."""

from __future__ import annotations

import json

from cli.terminal import counter, note
from evaluation import draft as drafting
from evaluation.session import all_chunks, open_services
from rag.errors import ConfigurationError, OwnedElsewhereError
from rag.settings import Settings


def draft(*, collection: str, count: int, seed: int) -> int:
    """Print drafted golden lines."""
    progress = counter("drafted", count)
    made = 0
    try:
        with open_services(Settings.load(), chat=True) as services:
            if services.chat is None:
                raise ConfigurationError("Drafting needs a chat model: DOCENT_LLM=extractive has none.")
            chunks = all_chunks(services, collection)
            for row in drafting.draft(chunks, services.chat, count=count, seed=seed):
                print(json.dumps(row, ensure_ascii=False), flush=True)
                made += 1
                progress(made)
    except OwnedElsewhereError as error:
        raise ConfigurationError(
            f"{error.message} Drafting asks the chat model directly, not through a server."
        ) from error
    if made < count:
        note(f"{made} of {count} questions: what the model wrote on other chunks did not stand in them")
    return 0
