"""How fast ingestion and search are, next to baselines that run in turns with them.

Owns the corpora, the baselines and the ratios. It measures the whole program, so it may import what is below `app.py`;
it must not import the web or the command line, and nothing but the command line imports it.
"""
