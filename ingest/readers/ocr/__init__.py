"""Text of pictures: the engines that recognise it, and what they have in common.

Owns the port of an engine, its limits of time and pixels, and which engine serves. It may import the readers' warnings and
the core of rag; it must not import a file format, which brings it its pictures.
"""
