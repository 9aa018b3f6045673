"""The fits behind Docent's weights: which block answers, how passages rank, how sure an answer is.

Owns the rows that are fitted, the regressions and their cross-validation; writes the JSON files that `rag` ships. May
import rag's pure rooms, an embedder and evaluation's own figures; never catalog, ingest or web.
"""
