"""Once per machine: a BERT encoder, from its safetensors or a packed file, to a quantised ONNX file.

Owns the recipe. `export` does the work in a child process, so that the calling process never imports torch; the child
is this module as a command: `python -m rag.adapters.embedding.onnx_export FOLDER [LAYER ...]`. Weights are 8-bit, per channel;
activations are quantised at run time, but for the layers named, whose feed-forward output has inputs so uneven that 8 bits
would lose most of them. `reduce_range` keeps weights to 7 bits, since 8 saturate on processors without VNNI. There is no
attention mask: texts run alone, unpadded, and adding a mask of zeros would take a thirtieth of the time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.adapters.embedding import packed_e5
from rag.errors import ConfigurationError
from rag.settings import PROJECT_DIR

if TYPE_CHECKING:
    import torch

OPSET = 17
INPUT = "input_ids"
OUTPUT = "last_hidden_state"
RECIPE = {
    "recipe": 1,  # part of the embedder's model_id: raise it when vectors change by more than the last bits
    "inputs": [INPUT],
    "opset": OPSET,
    "weights": "int8",
    "per_channel": True,
    "reduce_range": True,
}
# The name that tracing gives to the node.
_FEED_FORWARD_OUTPUT = "/model/encoder/layer.{}/output/dense/MatMul"
SILENT = {"PYTHONWARNINGS": "ignore", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"}


def export(model_dir: Path, precise: Sequence[int] = ()) -> Path:
    """The quantised model of a folder with config.json and model.safetensors, or with a packed file
    (rag.adapters.embedding.packed_e5), made if it is not there (half a minute); of a packed one tokenizer.json is made too.
    `precise` are the encoder's layers, counted from 0, whose feed-forward output stays in 32 bits.

    The file is `<model_dir>/onnx/model-int8.onnx`; a stamp beside it remembers the recipe, and another recipe makes it
    anew. Safe to call from several processes at once.

    Raises:
        ConfigurationError: the export failed or the folder cannot be written.
    """
    from filelock import FileLock

    if is_exported(model_dir, precise):
        return exported_path(model_dir)
    try:
        exported_path(model_dir).parent.mkdir(exist_ok=True)
        with FileLock(exported_path(model_dir).with_suffix(".lock")):
            if not is_exported(model_dir, precise):
                _run_child(model_dir, precise)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {exported_path(model_dir)}: {error.strerror}.") from error
    return exported_path(model_dir)


def exported_path(model_dir: Path) -> Path:
    """Where the quantised model of `model_dir` is."""
    return model_dir / "onnx" / "model-int8.onnx"


def is_exported(model_dir: Path, precise: Sequence[int] = ()) -> bool:
    """Whether the quantised model is there and was made by the present recipe."""
    try:
        stamp = json.loads(_stamp_path(model_dir).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp.get("recipe") == recipe(precise)) and exported_path(model_dir).exists()


def recipe(precise: Sequence[int]) -> dict[str, object]:
    """What the stamp of an export with these layers holds."""
    return {**RECIPE, "precise": list(precise)} if precise else dict(RECIPE)


def _stamp_path(model_dir: Path) -> Path:
    return exported_path(model_dir).with_suffix(".json")


def _run_child(model_dir: Path, precise: Sequence[int]) -> None:
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "rag.adapters.embedding.onnx_export", str(model_dir.absolute()), *map(str, precise)],
        cwd=PROJECT_DIR,
        env={**os.environ, **SILENT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not is_exported(model_dir, precise):
        reason = done.stderr.strip().rsplit("\n", 1)[-1] or f"exit code {done.returncode}"
        raise ConfigurationError(f"Cannot turn the model in {model_dir} into ONNX: {reason}")


def _export_here(model_dir: Path, precise: Sequence[int]) -> None:
    """The work itself, in the child: trace, quantise, move into place, stamp."""
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = exported_path(model_dir).parent
    folder.mkdir(exist_ok=True)
    _stamp_path(model_dir).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        traced, quantised = Path(scratch, "model.onnx"), Path(scratch, "model-int8.onnx")
        _trace(model_dir, traced)
        quantize_dynamic(
            traced,
            quantised,
            weight_type=QuantType.QInt8,
            per_channel=RECIPE["per_channel"],
            reduce_range=RECIPE["reduce_range"],
            nodes_to_exclude=[_FEED_FORWARD_OUTPUT.format(layer) for layer in precise],
        )
        quantised.replace(exported_path(model_dir))
    made_with = {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__}
    _stamp_path(model_dir).write_text(json.dumps({"recipe": recipe(precise), "made_with": made_with}), encoding="utf-8")


def _trace(model_dir: Path, target: Path) -> None:
    import torch

    model = _read_encoder(model_dir).eval()

    class LastHiddenState(torch.nn.Module):
        """The encoder with plain tensors in and out, which is what the exporter can trace."""

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            hidden: torch.Tensor = model(input_ids=ids).last_hidden_state
            return hidden

    wrapper = LastHiddenState()
    wrapper.add_module("model", model)
    ids = torch.ones(2, 8, dtype=torch.long)
    torch.onnx.export(
        wrapper,
        (ids,),
        str(target),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (INPUT, OUTPUT)},
        opset_version=OPSET,
        dynamo=False,  # the new exporter needs onnxscript and gains nothing for an encoder of this kind
    )


def _read_encoder(model_dir: Path) -> torch.nn.Module:
    import torch
    from transformers import AutoModel, BertConfig, BertModel

    if not (model_dir / packed_e5.FILE_NAME).exists():
        encoder: torch.nn.Module = AutoModel.from_pretrained(
            model_dir, attn_implementation="eager", local_files_only=True
        )
        return encoder
    packed = packed_e5.read_packed(model_dir / packed_e5.FILE_NAME)
    packed_e5.build_tokenizer(packed).save(str(model_dir / "tokenizer.json"), pretty=False)
    unpacked = BertModel(BertConfig(**(packed.config | {"attn_implementation": "eager"})), add_pooling_layer=False)
    unpacked.load_state_dict({name: torch.from_numpy(values) for name, values in packed.state.items()})
    return unpacked


if __name__ == "__main__":
    _export_here(Path(sys.argv[1]), [int(layer) for layer in sys.argv[2:]])
