"""From evidence to an answer: the prompt, the model's stream, each sentence with verdict and citations.

Owns the order of an answer's events, the prompts, the marks and citations, what is said where nothing is answered,
and the calibration of certainty. Takes retriever, stores, chat model and verifier as ports; imports the rooms below
it (query, retrieval's values, evidence, verification) and never an adapter, a store or the web.
"""
