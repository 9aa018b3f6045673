"""What Docent itself says, in the language of the question: where nothing was found, and where what was found does not answer."""

from __future__ import annotations

EXTRACTIVE = "extractive"
_NOTHING_FOUND = {
    "en": "I found nothing about this in the documents.",
    "zh": "我在文档中没有找到与此有关的内容。",
}
_NOT_ANSWERED = {
    "en": "The documents speak of this, but I found no answer to the question in them.",
    "zh": "文档谈到了相关内容，但我没有在其中找到这个问题的答案。",
}


def decline(language: str, *, spoken_of: bool) -> str:
    """The sentence that declines, "en" or "zh"; `spoken_of`: the documents speak of the matter. The nearest passages are shown beside it."""
    return (_NOT_ANSWERED if spoken_of else _NOTHING_FOUND)[language]
