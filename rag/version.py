"""The version of Docent, spelt here and nowhere else: pyproject.toml, the API and `docent --version` read it."""

VERSION = "0.2.0"
