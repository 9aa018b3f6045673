"""The question before it is searched: rewritten to stand alone, translated where it must be, or small talk.

May import the core (types, errors, ports) and the languages of texts; never retrieval, answering, adapters or
settings. What it needs of a chat model comes by constructor.
"""
