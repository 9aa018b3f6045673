"""Markdown, reStructuredText and answers as trees of nodes, from which the page builds elements; never HTML.

Owns which marks mean something and where citations and verdicts stand among them. Pure: may import values of rag and
the parser, never Flask, services or a request.
"""
