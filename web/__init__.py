"""HTTP: the pages for people, the REST API (`api`), the OpenAI-compatible one (`openai`), and what they share.

Owns the shapes of requests and responses, streams, errors as status codes, who may call, and languages of the page.
Flask is imported here and in app.py only; it reaches the rest through wiring's services and values of rag and
catalog, never ingest, vectorstore, adapters or evaluation.
"""
