"""Once per machine: the local chat model's GGUF file in OpenVINO's form.

Owns the recipe and the folder `openvino` beside the weights. The same numbers in another order: the 4-bit blocks stay 4
bits and get their zero points back (rag.adapters.chat.openvino_zero_points), 6-bit blocks become 8. OpenVINO could read the GGUF file at every start, but that takes three times as long as the
saved form. The work is done in a child process, so that its memory is given back and a crash costs the form only:
`python -m rag.adapters.chat.openvino_export FILE`. Without the library, or off x86-64, there is no such form, and llama.cpp serves.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rag.adapters.chat import openvino_zero_points
from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR

LIBRARY = "openvino_genai"
# Measured on x86-64 only, where the wheels of llama.cpp are built for AVX2 and OpenVINO uses AVX-512 and VNNI.
MACHINES = ("x86_64", "AMD64")
MODEL = "openvino_model.xml"
FILES = (
    MODEL,
    "openvino_model.bin",
    *(f"openvino_{part}.{end}" for part in ("tokenizer", "detokenizer") for end in ("xml", "bin")),
)
STAMP = "made.json"
RECIPE = 1  # raise it when the files change
SIZE_GB = 1.4


def is_supported() -> bool:
    """Whether this machine can make and serve the form."""
    return platform.machine() in MACHINES and find_spec(LIBRARY) is not None


def exported_dir(model: Path) -> Path:
    """Where the form of the GGUF file `model` is."""
    return model.parent / "openvino"


def is_exported(model: Path) -> bool:
    """Whether the form is complete, of this very file, and was made by the present recipe and library."""
    folder = exported_dir(model)
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return bool(stamp == _stamp(model)) and all((folder / name).exists() for name in FILES)
    except (OSError, ValueError, PackageNotFoundError):
        return False


def export(model: Path) -> Path:
    """Make the form if it is not there (half a minute, 3 GB of memory, 1.4 GB of disk); its folder is returned.

    Safe to call from several processes at once.

    Raises:
        ConfigurationError: it could not be made; the reason is the library's last line.
    """
    from filelock import FileLock

    if is_exported(model):
        return exported_dir(model)
    try:
        with FileLock(exported_dir(model).with_suffix(".lock")):
            if not is_exported(model):
                _run_child(model)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {exported_dir(model)}: {error.strerror}.") from error
    return exported_dir(model)


def _stamp(model: Path) -> dict[str, object]:
    found = model.stat()
    return {"recipe": RECIPE, LIBRARY: version("openvino-genai"), "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def _run_child(model: Path) -> None:
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "rag.adapters.chat.openvino_export", str(model.absolute())],
        cwd=PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not is_exported(model):
        reason = done.stderr.strip().rsplit("\n", 1)[-1] or f"exit code {done.returncode}"
        raise ConfigurationError(f"Cannot turn {model} into OpenVINO's form: {reason}")


def _export_here(model: Path) -> None:
    """The work itself, in the child: the library saves what it made beside the file that it read."""
    import openvino
    import openvino_genai

    folder = exported_dir(model)
    folder.mkdir(exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        beside = Path(scratch, "model.gguf")
        try:
            os.link(model, beside)
        except OSError:  # a file system without hard links
            beside.symlink_to(model)
        openvino_genai.LLMPipeline(str(beside), "CPU", enable_save_ov_model=True)
        exact = Path(scratch, "exact")
        model_of = openvino.Core().read_model(Path(scratch, MODEL))
        openvino_zero_points.restore(model_of, model)
        openvino.save_model(model_of, exact / MODEL, compress_to_fp16=False)
        for name in FILES:
            made = exact / name
            (made if made.exists() else Path(scratch, name)).replace(folder / name)
    (folder / STAMP).write_text(json.dumps(_stamp(model)), encoding="utf-8")


if __name__ == "__main__":
    _export_here(Path(sys.argv[1]))
