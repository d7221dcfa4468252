# Two commands do everything on a machine with Python 3.11+, git and make:
#   make demo    a live stream in the terminal, then JupyterLab on the quickstart
#   make test    the checks and the tests

PYTHON ?= $(firstword $(shell for python in python3.12 python3.13 python3.11 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python; done))
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python scripts/install.py
PYTEST := $(BIN)/python -m pytest
# Two for each core: most wait for a kernel or a browser (tests/support/scheduling.py says who runs what).
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) '*' 2)

SHELL := bash
.SHELLFLAGS := -o pipefail -ec

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs lite lite-test lite-elsewhere bench bench-view conformance soak matrix clean chromium programs

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## show a live stream in the terminal, then open JupyterLab on the quickstart
	@$(BIN)/python scripts/demo.py

test: style chromium programs ## run the checks and all tests, the types beside them
	@$(MAKE) --no-print-directory -j2 types tests

lint: style types ## check style and types

.PHONY: style types tests
style: $(VENV)/.test
	@echo "── style"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	@echo "── types"
	$(BIN)/mypy
	$(BIN)/python -m tests.support.typescript

tests: $(VENV)/.test
	@echo "── tests"
	$(PYTEST) -n $(WORKERS) --dist loadgroup

format: $(VENV)/.test ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.test ## build the site of the documentation into build/docs
	$(BIN)/python -m sphinx --fail-on-warning --nitpicky --quiet -b html docs build/docs
	@echo "── open build/docs/index.html"

lite: $(VENV)/.test ## build the site that runs the lessons in a browser alone into build/lite
	$(BIN)/python scripts/lite/build.py

lite-test: lite chromium ## run all lessons in that site, cell by cell, and trials of it (10 minutes)
	$(PYTEST) -s tests/soak/lite.py

lite-elsewhere: lite ## try that site in Firefox and WebKit, as far as they are installed (20 minutes)
	$(PYTEST) -s tests/soak/lite_elsewhere.py

bench: $(VENV)/.bench ## measure everything beside its peers (half an hour; BENCH=--quick: less)
	$(BIN)/python -m benchmarks --check --picture docs/images/benchmarks.png $(BENCH)
	$(BIN)/python -m benchmarks.receive --check

bench-view: $(VENV)/.test chromium ## measure the live views in a real browser (8 minutes a round)
	$(BIN)/python -m benchmarks.live_view --check $(BENCH)

chromium:
	@scripts/chromium

programs:
	@scripts/programs

conformance: $(VENV)/.test ## run the Autobahn test suite against the client (a minute; CONFORMANCE=--all: a quarter of an hour)
	$(BIN)/python -m conformance.run $(CONFORMANCE)

soak: $(VENV)/.test ## run what takes long: cycles, a flood, interrupts (40 minutes)
	$(PYTEST) tests/soak/soak.py
	$(BIN)/python -m tests.fuzz_fast_path --examples 100000

matrix: ## run the tests with every Python and every set of dependencies that is here (20 minutes)
	@$(firstword $(wildcard $(BIN)/python) $(PYTHON)) scripts/matrix.py $(ROWS)

clean: ## remove what was set up
	rm -rf $(VENV) .matrix conformance/.autobahn .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artifacts build dist

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "ipyws needs Python 3.11 or newer with its venv module, and there is none (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "── setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@$(INSTALL) "ipyws and JupyterLab (once; about a minute)" --editable ".[demo]"
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	@$(INSTALL) "what is measured beside ipyws" --group bench
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@$(INSTALL) "a pip that knows groups" --upgrade "pip>=25.1"
	@$(INSTALL) "ipyws and what its tests need (once; about two minutes)" --editable . --group dev
	@touch $@
