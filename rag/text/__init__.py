"""Text in two languages: its language, its sentences, its index terms; and templates read from disk.

Owns everything that differs between English and Chinese and is needed in more than one room, pure but for a stemmer.
Imported by all rooms above it; may import the errors of rag and nothing else of ours, nor any model.
"""
