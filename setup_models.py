"""`python setup_models.py`: fetch and prepare the models before the first start. `--chat` brings the chat weights too.
The embedding model is the one that the settings name.

The server does the same by itself in the background; this does it in the foreground, with a progress bar.
"""

from __future__ import annotations

import sys

from rag.adapters.chat.local_llm import prepare
from rag.adapters.embedding.embedders import Embedders
from rag.adapters.weights.files import ensure
from rag.adapters.weights.progress import terminal_progress
from rag.errors import ConfigurationError
from rag.settings import Settings
from wiring import CHAT_WEIGHTS


def main(arguments: list[str]) -> int:
    """Exit status: 0 all is there, 2 it is not, with one line saying why."""
    try:
        settings = Settings.load()
        with terminal_progress() as progress:
            embedders = Embedders(settings)
            embedders.load(embedders.default_id, lambda said: print(said, file=sys.stderr), progress)
            if "--chat" in arguments:
                weights = ensure(CHAT_WEIGHTS, settings.models_dir, progress=progress)
                prepare(weights, lambda said: print(said, file=sys.stderr))
    except ConfigurationError as error:
        print(f"docent: {error.message}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
