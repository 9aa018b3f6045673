"""The local chat model under OpenVINO: what was read is kept, the likeliest token is written.

Owns the door to openvino. One conversation at a time; rag.adapters.chat.completions_server queues. The loop is Docent's own,
since OpenVINO GenAI tells the chance of the chosen token only, and the chances of all first words are needed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.adapters.chat.openvino_export import MODEL

# Read in pieces, so that a reader who goes away stops the model within a second or two; below 256 reading slows down.
PIECE_TOKENS = 256
# What was read for other prompts is kept up to this size: 28 KB a token for the default model.
KEPT_BYTES = 256 << 20
# Setting what was read aside costs some 50 ms, the reading of ten tokens.
WORTH_KEEPING_TOKENS = 32
# Prompt lookup: where the last 3 tokens stood before, the 3 that followed are read along with the next one. Four tokens
# take 1.4 times as long as one; of answers from sources more than half of the guesses hold.
GUESS_FROM = 3
GUESSED = 3
ROWS = "rows"


class PromptTooLongError(ValueError):
    """The prompt leaves no room for an answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was written, with the log probabilities of the likeliest ones at its place, best first."""

    id: int
    alternatives: Mapping[int, float] = field(default_factory=dict)


class OpenVinoModel:
    """A causal language model from `folder` (rag.adapters.chat.openvino_export). Not thread-safe."""

    def __init__(self, folder: Path, *, threads: int, context: int) -> None:
        import openvino_genai

        self._context = context
        self._request = _compile(folder, threads)
        self._tokenizer = openvino_genai.Tokenizer(str(folder))
        self._end = int(self._tokenizer.get_eos_token_id())
        self._read: list[int] = []  # the tokens whose keys and values the model's state holds and attends to
        self._seen: list[int] = []  # for each place of the state 1, or 0 where a wrong guess stands
        self._kept: OrderedDict[tuple[int, ...], list[NDArray[np.float16]]] = OrderedDict()
        self._feed([self._end] * PIECE_TOKENS)  # the first reading is slow, since the weights are laid out for it
        self._feed([self._end] * (1 + GUESSED), wanted=1 + GUESSED)
        self._forget()

    def tokens_of(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The prompt by the model's own chat template, up to where the assistant's answer begins."""
        turns = [{"role": message["role"], "content": message["content"]} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        return [int(token) for token in self._tokenizer.encode(text, add_special_tokens=False).input_ids.data[0]]

    def text_of(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; a character whose bytes are not all there is left out."""
        return str(self._tokenizer.decode(list(tokens)))

    def write(
        self, prompt: Sequence[int], *, max_tokens: int, alternatives: int, gone: Callable[[], bool]
    ) -> Iterator[Token]:
        """The likeliest continuation, without the token that ends it. Stops when `gone` says that nobody listens.

        Raises:
            PromptTooLongError: the context holds no further token.
        """
        if len(prompt) >= self._context:
            raise PromptTooLongError(f"The prompt has {len(prompt)} tokens; the context holds {self._context}.")
        left = min(max_tokens, self._context - len(prompt))
        guesses: list[int] = []
        try:
            rows = self._read_prompt(prompt, gone)
            while rows is not None:
                chosen = [int(token) for token in rows.argmax(axis=1)]
                held = _shared_start(guesses, chosen)
                self._take_back(len(guesses) - held)
                for token, logits in zip(chosen[: held + 1], rows, strict=False):
                    if token == self._end or not left:
                        return
                    left -= 1
                    yield Token(token, _likeliest(logits, alternatives))
                guesses = self._guess(chosen[held])
                rows = self._feed([chosen[held], *guesses], wanted=len(guesses) + 1) if left and not gone() else None
        except RuntimeError:
            self._forget()
            raise

    def _read_prompt(self, prompt: Sequence[int], gone: Callable[[], bool]) -> NDArray[np.float32] | None:
        """The logits after the prompt, of which only what is new is read; None when nobody listens any more."""
        self._return_to(prompt)
        rows = None
        for start in range(len(self._read), len(prompt), PIECE_TOKENS):
            if gone():
                return None
            rows = self._feed(prompt[start : start + PIECE_TOKENS])
        return rows

    def _feed(self, tokens: Sequence[int], *, wanted: int = 1) -> NDArray[np.float32]:
        """Read `tokens` after what was read before. Returns the logits after each of the last `wanted` ones."""
        place = len(self._read)
        self._seen += [1] * len(tokens)
        self._request.infer(
            {
                "input_ids": np.array([tokens], np.int64),
                "attention_mask": np.array([self._seen], np.int64),
                "position_ids": np.arange(place, place + len(tokens), dtype=np.int64)[None],
                "beam_idx": np.zeros(1, np.int32),
                ROWS: np.arange(len(tokens) - wanted, len(tokens), dtype=np.int64),
            }
        )
        self._read += tokens
        logits: NDArray[np.float32] = self._request.get_output_tensor(0).data[0]
        return logits

    def _guess(self, token: int) -> list[int]:
        """What followed the last time that the same tokens stood in a row: answers repeat their sources."""
        row = [*self._read[1 - GUESS_FROM :], token]
        for start in range(len(self._read) - GUESS_FROM, -1, -1):
            if self._read[start : start + GUESS_FROM] == row:
                return self._read[start + GUESS_FROM : start + GUESS_FROM + GUESSED]
        return []

    def _take_back(self, count: int) -> None:
        """Hide the last `count` tokens from now on; they leave the state when the next prompt is read."""
        if count:
            del self._read[-count:]
            self._seen[-count:] = [0] * count

    def _return_to(self, prompt: Sequence[int]) -> None:
        """Make the state hold the longest beginning of `prompt` that was read before, but for its last token."""
        here = _shared(self._read, prompt)
        best = max(self._kept, key=lambda tokens: _shared(tokens, prompt), default=())
        there = _shared(best, prompt)
        if len(self._read) - max(here, there) >= WORTH_KEEPING_TOKENS:
            self._keep()
        if there - here >= WORTH_KEEPING_TOKENS and best in self._kept:
            self._kept.move_to_end(best)
            self._set_state([values[:, :, :there] for values in self._kept[best]], best[:there])
        elif here < len(self._seen):
            self._set_state(self._state(here), self._read[:here])

    def _keep(self) -> None:
        values = [value.astype(np.float16) for value in self._state(len(self._read))]
        self._kept[tuple(self._read)] = values
        while sum(value.nbytes for kept in self._kept.values() for value in kept) > KEPT_BYTES:
            self._kept.popitem(last=False)

    def _state(self, count: int) -> list[NDArray[np.float32]]:
        """The keys and values of the first `count` tokens."""
        places = np.flatnonzero(self._seen)[:count]
        return [state.state.data[:, :, places] for state in self._request.query_state()]

    def _set_state(self, values: Sequence[NDArray[Any]], tokens: Sequence[int]) -> None:
        import openvino

        if not tokens:
            self._forget()
            return
        for state, value in zip(self._request.query_state(), values, strict=True):
            state.state = openvino.Tensor(np.ascontiguousarray(value, dtype=np.float32))
        self._read = list(tokens)
        self._seen = [1] * len(tokens)

    def _forget(self) -> None:
        self._request.reset_state()
        self._read = []
        self._seen = []


def _compile(folder: Path, threads: int) -> Any:
    """The model, computing the logits of the places in `ROWS` only: all of them would cost a seventh of the reading."""
    import openvino
    from openvino import opset13

    core = openvino.Core()
    model = core.read_model(folder / MODEL)
    head = model.outputs[0].node.input_value(0).get_node()
    rows = opset13.parameter([-1], np.int64, name=ROWS)
    rows.output(0).set_names({ROWS})
    places = opset13.gather(head.input_value(0), rows, opset13.constant(1, dtype=np.int64))
    head.input(0).replace_source_output(places.output(0))
    model.add_parameters([rows])
    model.validate_nodes_and_infer_types()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "KV_CACHE_PRECISION": "f16"}
    return core.compile_model(model, "CPU", settings).create_infer_request()


def _shared(read: Sequence[int], prompt: Sequence[int]) -> int:
    """How many first tokens are the same; the prompt's last one does not count, since logits come of reading it."""
    return min(_shared_start(read, prompt), len(prompt) - 1)


def _shared_start(one: Sequence[int], other: Sequence[int]) -> int:
    most = min(len(one), len(other))
    return next((place for place in range(most) if one[place] != other[place]), most)


def _likeliest(logits: NDArray[np.float32], count: int) -> dict[int, float]:
    """The `count` likeliest tokens with their log probabilities, best first."""
    if not count:
        return {}
    wide = logits.astype(np.float64)
    top = np.argpartition(wide, -count)[-count:]
    top = top[np.argsort(-wide[top])]
    peak = wide[top[0]]
    total = peak + np.log(np.exp(wide - peak).sum())
    return {int(token): float(wide[token] - total) for token in top}
