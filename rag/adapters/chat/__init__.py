"""Chat models: any OpenAI-compatible URL through LangChain, and the local model's process behind such a URL.

Owns starting, watching and stopping that process, its form for OpenVINO, and the mapping of the client's errors to
ours. May import the core of rag only: no prompt, no weights' download, no embedder.
"""
