"""Opening a PDF with pdfium, with a password where one is needed. Owns what is said when it is missing or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.errors import EncryptedError

NEEDED = (
    "The PDF needs a password: retry the document, or upload it again, with the field `password`. "
    "A copy without one (print it to PDF, for example) does as well."
)
WRONG = "The password does not open the PDF: retry the document, or upload it again, with the right `password`."


def open_pdf(path: Path, password: str | None) -> Any:
    """The document of pdfium, which the caller closes. A password that is not needed is not looked at.

    Raises:
        EncryptedError: a password is needed (code "encrypted"), or another one (code "wrong_password").
        pypdfium2.PdfiumError: the file is damaged.
    """
    import pypdfium2 as pdfium

    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if not _is_locked(error):
            raise
        if password is None:
            raise locked(None) from error
    try:
        return pdfium.PdfDocument(path, password=password)
    except pdfium.PdfiumError as error:
        if not _is_locked(error):
            raise
        raise locked(password) from error


def locked(password: str | None) -> EncryptedError:
    """The error for a file that did not open with this password, or without one."""
    return EncryptedError(NEEDED) if password is None else EncryptedError(WRONG, code="wrong_password")


def _is_locked(error: Any) -> bool:
    import pypdfium2.raw as raw

    return bool(getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD)
