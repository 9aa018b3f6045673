"""Found: from a question to passages, best first.

Owns both legs of a search, the similarity of token vectors (late interaction), what a passage's words, headings and
file name say about a question, and the one fitted model that weighs all of it (fusion). Takes indexes and stores as
ports. May import values, ports, errors and the language of texts; never adapters, evidence, answering, verification,
catalog, ingest or web.
"""
