"""The facts of a text that are checked one by one, exactly: dates, quantities, names, quotations, code.

Owns reading them and deciding whether a span states them. It imports `rag.text.language` and the everyday words of
verification only.
"""
