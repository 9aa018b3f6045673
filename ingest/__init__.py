"""From files to what can be searched: reading, cutting, embedding, keeping; `python -m ingest` is a door to `cli`.

Owns everything that happens to a document before a question is asked: `readers` make text of bytes, `sources` bring
files, `storage` keeps them, `pipeline` indexes them. May import rag's core, `rag.text`, the form of token vectors,
catalog and vectorstore; never web, wiring, or what answers a question.
"""
