"""The error tree, page one of the code.

DocentError                    anything Docent raises on purpose; carries `code`, `message` and `details`
├── ConfigurationError         a setting or the machine is wrong; ends the start with one line
│   └── OwnedElsewhereError    another process owns the data folder
├── InvalidRequestError        the caller's input is wrong
│   └── UnsupportedTypeError   a file type that no reader takes
├── NotFoundError              no such document, job, collection, ...
├── ConflictError              the request contradicts what is stored
├── TooLargeError              over a limit that the message states
├── UnreadableError            a file that its reader cannot read; fails that file alone
│   └── EncryptedError         a file that needs a password
└── UnavailableError           a part is not ready or does not answer; try again later
    ├── LoadingError           a model is still loading
    ├── QueueFullError         too much waits to be indexed
    └── ChatUnavailableError   the chat model is down, refused or timed out

The web maps each class to a status code in one place (web/errors.py). Foreign errors are turned into these at the
door where the library is called, with `raise ... from`.
"""

from __future__ import annotations

from typing import Any


class DocentError(Exception):
    """Base of all errors that Docent raises on purpose."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details or {}


class ConfigurationError(DocentError):
    """A setting, the machine or an installation is wrong. The message says what to do."""

    code = "configuration"


class OwnedElsewhereError(ConfigurationError):
    """Another process owns the data folder; `details` may hold its `pid` and `url`."""

    code = "data_folder_in_use"


class InvalidRequestError(DocentError):
    """The caller's input is wrong."""

    code = "invalid_request"


class UnsupportedTypeError(InvalidRequestError):
    """No reader takes this type of file."""

    code = "unsupported_type"


class NotFoundError(DocentError):
    """There is no such thing."""

    code = "not_found"


class ConflictError(DocentError):
    """The request contradicts what is stored."""

    code = "conflict"


class TooLargeError(DocentError):
    """Over a limit; the message states it."""

    code = "too_large"


class UnreadableError(DocentError):
    """A file that its reader cannot read."""

    code = "unreadable"


class EncryptedError(UnreadableError):
    """A file that needs a password."""

    code = "encrypted"


class UnavailableError(DocentError):
    """A part is not ready or does not answer. `retry_after` is in seconds."""

    code = "unavailable"
    retry_after = 5


class LoadingError(UnavailableError):
    """A model is still loading."""

    code = "loading"


class QueueFullError(UnavailableError):
    """Too much waits to be indexed already."""

    code = "queue_full"
    retry_after = 15


class ChatUnavailableError(UnavailableError):
    """The chat model is down, refused the call, or timed out."""

    code = "llm_unavailable"
