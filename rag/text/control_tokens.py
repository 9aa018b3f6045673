"""What a chat model's template parts turns with, told apart from text: a document may not speak in another's name. Pure."""

from __future__ import annotations

import re

# <|im_start|>, <|eot_id|>, <｜User｜>, <start_of_turn>, <s>, [INST], <<SYS>>: of ChatML, Llama, DeepSeek, Gemma, Mistral.
_CONTROL = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|</?(?:start_of_turn|end_of_turn|s|bos|eos|pad|unk|tool_call|think)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>",
    re.IGNORECASE,
)


def without_control_tokens(text: str) -> str:
    """A text whose control tokens are words like any other: `<|im_start|>` becomes `< |im_start| >`."""
    return _CONTROL.sub(lambda token: f"{token.group()[0]} {token.group()[1:-1]} {token.group()[-1]}", text)
