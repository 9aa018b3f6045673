"""Plain text in any encoding, tables, JSON lines, source code; and what every reader needs of tables and text.

Owns the recognition of encodings and the one form that text has in Docent (`normalisation.py`). May import values and
errors of rag and the warnings; no other reader.
"""
