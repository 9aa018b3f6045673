"""The dense index: ids and vectors in Chroma, one collection each, derived from the catalog and never the truth.

Owns the swap of an index that was built anew, the look at one that may be damaged, and the lock that gives a data
folder one owner. The only room that imports chromadb; may import the core of rag, never catalog, ingest, web or a
model.
"""
