"""The one door to sentence-transformers' cross-encoders, which bring torch into the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


def load_cross_encoder(model_name_or_path: str, *, setting: str) -> CrossEncoder:
    """Load a cross-encoder by its name on the hub or its folder. `setting` is what named it, for the error.

    Raises:
        ConfigurationError: the package or the model does not load.
    """
    named = f"{setting}={model_name_or_path!r}"
    try:
        from sentence_transformers import CrossEncoder

        model: CrossEncoder = CrossEncoder(model_name_or_path)
    except ImportError as error:
        raise ConfigurationError(f"{named} needs the package sentence-transformers, which does not import.") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"{named} does not load: {error}") from error
    return model
