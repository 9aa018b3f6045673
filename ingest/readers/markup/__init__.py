"""Markup and what consists of it: HTML, Markdown, reStructuredText, notebooks, e-mails, e-books.

Owns the walk through a tree to text and headings, without ever running, loading or following anything. May import
text readers and the package reader; no reader of PDF or office files.
"""
