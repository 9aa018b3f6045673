"""PDF: text in the order in which people read it, pictures of text by Tesseract, pages drawn with a span marked.

Owns both PDF libraries, the layout of pages, and finding cited characters on them. May import text readers and
`rag.text`; no reader of markup or office files.
"""
