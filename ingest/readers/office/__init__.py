"""Office files, read from their own XML: Word, PowerPoint, Excel, OpenDocument, and rich text.

Owns numbers as the file formats them, styles, comments, charts and what else stands beside the text; damaged files
are read in part. May import text readers, markup and the package reader; no reader of PDF files.
"""
