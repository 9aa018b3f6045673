"""The originals and all that goes with one: taking in, unpacking, giving back, trash, passwords, pictures.

Owns the order in which bytes, rows and vectors are written and forgotten, which is what makes it safe to be cut off,
and the check of the whole (`doctor`). May import catalog, vectorstore, the names of types and the drawing of pages
from readers, and the core of rag; never pipeline, sources, adapters or web.
"""
