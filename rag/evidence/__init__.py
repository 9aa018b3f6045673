"""Which parts of the passages found are shown to a chat model, and how: blocks as they stand in the document.

Owns the cutting of text into blocks (prose, lists, tables, code), what each is worth for a question, which of them
fit a budget, and the recognition of text that gives a model orders. Imports values, ports and the pure parts of text
only: no store, no model, no prompt.
"""
