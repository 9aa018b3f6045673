"""The local chat model under OpenVINO: its loop with a stand-in for the network, its form, and once the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from rag.adapters.chat import local_llm, openvino_export, openvino_llm
from rag.adapters.chat.openvino_llm import ROWS, OpenVinoModel, PromptTooLongError
from rag.adapters.chat.openvino_zero_points import _scales_and_offsets
from rag.adapters.weights.files import ensure
from rag.errors import ConfigurationError

END = 9
VOCABULARY = 10


class State:
    """One layer's keys: here the tokens themselves."""

    def __init__(self, request: CountingUp) -> None:
        self.request = request

    @property
    def state(self) -> Any:
        class Held:
            data = np.array(self.request.held, np.float32).reshape(1, 1, -1, 1)

        return Held

    @state.setter
    def state(self, tensor: Any) -> None:
        self.request.held = [int(value) for value in tensor.data.reshape(-1)]


class CountingUp:
    """A network whose likeliest next token is the last one plus 1, modulo 8, until 20 tokens are seen; then it ends."""

    def __init__(self) -> None:
        self.held: list[int] = []
        self.fed: list[list[int]] = []
        self.logits = np.zeros((1, 0, VOCABULARY), np.float32)

    def infer(self, inputs: dict[str, Any]) -> None:
        tokens = inputs["input_ids"][0].tolist()
        self.fed.append(tokens)
        self.held += tokens
        mask = inputs["attention_mask"][0]
        assert len(mask) == len(self.held)
        assert inputs["position_ids"][0].tolist() == list(range(mask.sum() - len(tokens), mask.sum()))
        rows = []
        for row in inputs[ROWS]:
            place = int(inputs["position_ids"][0][row])
            scores = np.zeros(VOCABULARY, np.float32)
            scores[END if place >= 19 else (tokens[row] + 1) % 8] = 5
            rows.append(scores)
        self.logits = np.array([rows])

    def get_output_tensor(self, _: int) -> Any:
        class Output:
            data = self.logits

        return Output

    def query_state(self) -> list[State]:
        return [State(self)]

    def reset_state(self) -> None:
        self.held = []


@pytest.fixture
def model() -> OpenVinoModel:
    made = OpenVinoModel.__new__(OpenVinoModel)
    made._context, made._end, made._request = 64, END, CountingUp()
    made._read, made._seen = [], []
    made._kept = openvino_llm.OrderedDict()
    return made


def write(model: OpenVinoModel, prompt: list[int], count: int = 40) -> list[int]:
    return [t.id for t in model.write(prompt, max_tokens=count, alternatives=0, gone=lambda: False)]


def test_writes_the_likeliest_until_the_end(model: OpenVinoModel) -> None:
    assert write(model, [5, 6]) == [(7 + step) % 8 for step in range(18)]
    assert write(model, [5, 6], 4) == [7, 0, 1, 2]


def test_guesses_save_steps_and_change_nothing(model: OpenVinoModel) -> None:
    written = write(model, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1])

    assert written == [2, 3, 4, 5, 6, 7, 0, 1, 2, 3]
    assert len(model._request.fed) < len(written)


def test_a_wrong_guess_is_hidden(model: OpenVinoModel) -> None:
    prompt = [2, 3, 4, 7, 7, 7, 2]  # after 2 3 4 stands 7, but 5 comes next

    assert write(model, prompt) == [(3 + step) % 8 for step in range(13)]
    assert 0 in model._seen
    assert model._read[: len(prompt)] == prompt
    assert write(model, prompt, 3) == [3, 4, 5]
    assert len(model._request.held) == len(model._seen)


def test_only_what_is_new_is_read(model: OpenVinoModel) -> None:
    write(model, [1, 1, 1, 1], 1)
    model._request.fed.clear()

    write(model, [1, 1, 1, 5, 5], 1)

    assert model._request.fed[0] == [5, 5]


def test_a_prompt_is_found_again_after_another(model: OpenVinoModel, monkeypatch: pytest.MonkeyPatch) -> None:
    openvino = pytest.importorskip("openvino")
    monkeypatch.setattr(openvino, "Tensor", lambda values: type("Tensor", (), {"data": values}))
    monkeypatch.setattr(openvino_llm, "WORTH_KEEPING_TOKENS", 4)
    write(model, [1] * 8, 1)
    write(model, [2] * 8, 1)
    model._request.fed.clear()

    write(model, [1] * 8 + [3], 1)

    assert model._request.fed[0] == [3]
    assert model._request.held == [1] * 8 + [3]


def test_a_prompt_without_room_for_an_answer_is_refused(model: OpenVinoModel) -> None:
    with pytest.raises(PromptTooLongError):
        write(model, [1] * 64)


def test_nobody_listening_ends_the_reading(model: OpenVinoModel) -> None:
    assert list(model.write([1, 2], max_tokens=5, alternatives=0, gone=lambda: True)) == []
    assert model._request.fed == []


def test_the_chances_are_log_probabilities_best_first() -> None:
    told = openvino_llm._likeliest(np.log(np.array([0.1, 0.6, 0.05, 0.25], np.float32)), 3)

    assert list(told) == [1, 3, 0]
    assert told[1] == pytest.approx(np.log(0.6), abs=1e-5)


def test_scales_and_offsets_are_the_ones_of_the_file_format() -> None:
    blocks = np.random.default_rng(5).integers(0, 256, (3, 2 * 144), dtype=np.uint8)
    for start in (0, 144):
        blocks[:, start : start + 4] = np.array([0.01, 0.02], np.float16).view(np.uint8)
    scales, offsets = _scales_and_offsets(blocks)

    weights = gguf.dequantize(blocks, gguf.GGMLQuantizationType.Q4_K).reshape(3, 16, 32)
    numbers = (weights + offsets[..., None]) / np.where(scales, scales, 1)[..., None]
    assert np.abs(numbers - numbers.round()).max() < 1e-2
    assert numbers.round().min() >= 0
    assert numbers.round().max() <= 15


def test_no_form_where_openvino_does_not_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    monkeypatch.setattr(openvino_export.platform, "machine", lambda: "aarch64")

    local_llm.prepare(tmp_path / "model.gguf", said.append)

    assert said == []


def test_a_form_that_cannot_be_made_leaves_llama_cpp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Path) -> Path:
        raise ConfigurationError("No room.")

    said: list[str] = []
    monkeypatch.setattr(openvino_export, "is_supported", lambda: True)
    monkeypatch.setattr(openvino_export, "export", fail)

    local_llm.prepare(tmp_path / "model.gguf", said.append)

    assert "1.4 GB" in said[0]
    assert "No room. llama.cpp serves" in caplog.text


@pytest.mark.model
@pytest.mark.slow
def test_the_real_form_answers_from_what_it_read(models_dir: Path) -> None:
    folder = openvino_export.export(ensure("chat", models_dir))
    real = OpenVinoModel(folder, threads=2, context=2048)
    turns = [{"role": "system", "content": "Answer briefly, in the question's language."}]
    source = "档案箱的钥匙由管理员保管。The warden works on Tuesdays."

    def answer(question: str) -> str:
        prompt = real.tokens_of([*turns, {"role": "user", "content": f"{source}\n{question}"}])
        return real.text_of(write(real, prompt, 40))

    first = answer("When does the warden work?")
    assert "Tuesday" in first
    assert "管理员" in answer("钥匙由谁保管？")
    assert answer("When does the warden work?") == first
