"""Verification: whether the spans that a sentence cites say what it says.

Owns the exact checks of facts (`facts/`), contradiction, the features of a sentence against its spans and the fitted
model that weighs them, the search for the shortest span, and the verdicts (`verifier.py`). It reads `rag.types`,
`rag.ports` and the text of rag (`rag.text.language`), and imports no adapter, no prompt, no retrieval and nothing
that answers.
"""
