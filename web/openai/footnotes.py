"""What a client that shows text only must read below an answer: its doubts, and what of it nothing supports.

Pure functions.
"""

from __future__ import annotations

from rag.text.language import language
from rag.types import Answer, Certainty, Verdict
from web.i18n import translate


def footnotes(answer: Answer) -> str:
    """The text to set below an answer, with the line between; empty where there is nothing to add."""
    tongue = language(answer.question)
    notes = [translate(tongue, "certainty.low.about")] if answer.certainty == Certainty.LOW else []
    notes += [
        f"{translate(tongue, 'verdict.unsupported')}: “{sentence.text}”"
        for sentence in answer.sentences
        if sentence.verdict == Verdict.UNSUPPORTED
    ]
    return "".join(f"\n\n⚠ {note}" for note in notes)
