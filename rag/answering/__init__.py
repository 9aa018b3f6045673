"""From evidence to an answer, sentence by sentence, and the language that it is given in.

May import the core, queries, evidence and verification; never an adapter, the settings or what stands above.
"""
