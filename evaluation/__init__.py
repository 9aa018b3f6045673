"""Measuring Docent: golden questions, labelled sentences, figures with intervals, comparisons, gates, reports.

Owns the files of `python -m evaluation` and what each figure means; works on this process's services or on a server
over REST. Stands above wiring, beside web: it may import rag and wiring, never ingest, catalog, web or cli, and
nothing imports it.
"""
