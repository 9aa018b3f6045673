# One way to do each thing. `make help` lists them; the continuous integration runs `make lint` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Where CPU builds of torch are published; used when it can be reached, since the package index has CUDA builds only.
TORCH_CPU := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help run setup test test-fast lint lint-js bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup ## install what is missing, then serve on http://127.0.0.1:8000
	@exec $(BIN)/docent serve

setup: $(BIN)/docent ## make .venv, install the pinned requirements and the command, fetch and prepare the embedding model
	@$(BIN)/python setup_models.py

test: setup $(VENV)/installed-dev ## run every test, with the real local model too
	@$(BIN)/python setup_models.py --chat
	$(BIN)/python -m pytest

test-fast: $(VENV)/installed-dev ## run the tests that need no weights and little time
	$(BIN)/python -m pytest -m "not model and not slow"

lint: $(VENV)/installed-dev ## ruff and mypy, and eslint where npm is installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-js; \
	else echo "The page's scripts are not linted: npm is not installed."; fi

lint-js: node_modules/installed ## eslint over the page's scripts (needs Node 18.18 or newer)
	npm run --silent lint

bench: setup ## ratios against baselines, in one run
	$(BIN)/docent bench

lock: ## compile the requirement files (needs uv)
	uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--override requirements-overrides.txt requirements.in -o requirements.txt
	uv pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		requirements-dev.in -o requirements-dev.txt

clean: ## remove .venv and caches; keeps data/ and the weights
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist docent.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Docent needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt requirements-torch.txt | $(VENV)/bin/python
	@echo "Installing the requirements into $(VENV) (some minutes on the first run)"
	$(PIP) install -q --no-deps --require-hashes -r requirements.txt
	@if $(BIN)/python -c 'import urllib.request as u; u.urlopen("$(TORCH_CPU)/", timeout=2)' 2>/dev/null; \
	then $(PIP) install -q -r requirements-torch.txt --extra-index-url $(TORCH_CPU); \
	else $(PIP) install -q -r requirements-torch.txt; fi
	@touch $@

# setuptools is among the requirements, so this needs no index.
$(BIN)/docent: pyproject.toml rag/version.py $(VENV)/installed
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(PIP) install -q --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/installed: package.json package-lock.json
	npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@
