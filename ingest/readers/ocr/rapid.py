"""Text recognition by RapidOCR, whose models come within its package and run on ONNX Runtime.

Owns the library: nothing of it is imported before the first picture, nothing is fetched, one thread is used. Foreign failures
end as "cannot be read". Must not know PDF.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest.readers.ocr.recognition import OcrLine, Picture

_DETECTION, _RECOGNITION = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_SEARCHED_PIXELS = 1_300_000
"""Pixels in which lines are looked for, 110 dpi of a page; they are read at the full size. More costs memory and finds no more."""
_MAX_SIDE = 20_000
_MIN_CONFIDENCE = 0.5  # of a line, 0..1


class Rapid:
    """RapidOCR. One picture at a time; the models stay loaded."""

    dpi = 200

    def __init__(self) -> None:
        self._library: Any = None

    @property
    def available(self) -> bool:
        """Whether the package is installed with the models that it is to bring."""
        return _models() is not None

    def recognise(self, picture: Picture, *, seconds: float) -> list[OcrLine] | None:  # noqa: ARG002  # a page takes a few
        """See `Engine`. A picture cannot be stopped half-way: that is for the clock of the reading process.

        Raises:
            MemoryError: the process may not use as much as it takes.
        """
        import numpy as np

        pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width)
        area = picture.width * picture.height
        longest = max(picture.width, picture.height)
        try:
            library = self._loaded()
            library.text_det.limit_side_len = longest * min(1.0, (_SEARCHED_PIXELS / area) ** 0.5)
            found = library(pixels)
        except MemoryError:
            raise
        except Exception as error:  # whatever the library and ONNX Runtime raise, a page is not read
            if "alloc" in str(error).lower():
                raise MemoryError from error
            return None
        if found.boxes is None or not found.txts:
            return []
        rows = zip(found.boxes, found.txts, found.scores, strict=True)
        return [_line(box, text, score) for box, text, score in rows if text.strip()]

    def _loaded(self) -> Any:
        if self._library is None:
            from rapidocr import RapidOCR

            folder = _models()
            assert folder is not None
            self._library = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    "Global.text_score": _MIN_CONFIDENCE,
                    "Global.max_side_len": _MAX_SIDE,
                    "Global.use_cls": False,
                    "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # the other processor answers questions
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                    # a path that is named is never looked for on the network
                    "Det.model_path": str(folder / _DETECTION),
                    "Det.limit_type": "max",
                    "Rec.model_path": str(folder / _RECOGNITION),
                    # lines of one batch are padded to the longest: one by one is faster, and takes half the memory
                    "Rec.rec_batch_num": 1,
                }
            )
            self._library._load_det_model()  # else it is made by the first picture, after its limit is set
        return self._library


def _models() -> Path | None:
    """The folder of the models within the package, if it is installed; it is not imported for that."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "models"
    return folder if (folder / _DETECTION).is_file() and (folder / _RECOGNITION).is_file() else None


def _line(box: Any, text: str, score: float) -> OcrLine:
    """A line from its four corners."""
    across, down = [float(x) for x, _ in box], [float(y) for _, y in box]
    return OcrLine(text.strip(), min(across), min(down), max(across), max(down), 100 * float(score))
