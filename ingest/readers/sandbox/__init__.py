"""The processes that read hostile files: without our environment, bounded in memory and time, killed when late.

Owns the pool of children and what passes between them and the server. May import the table of readers and the values
they speak in; nothing imports it but wiring, and it knows no catalog, storage or pipeline.
"""
