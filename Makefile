# Each target sets up .venv by itself: Python >= 3.11, make and a package index are all it needs.
#   make demo    the whole system on real data        make test    everything that must hold
#   make lint    style and types only                 make bench   all speed benchmarks, or NAME=import for one
#   make torture the failures of make test, for minutes instead of seconds

PYTHON ?= python3
NAME ?= *

VENV := .venv
BIN := $(VENV)/bin
# The second variable pins the build back end too, where pip no longer takes the first for it.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check

# pyright asks the network for a newer version of itself unless it is told not to.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: demo test torture lint bench

demo: $(VENV)/installed
	$(BIN)/encorec demo

test: lint
	$(BIN)/python -m pytest --numprocesses 2

torture: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m torture tests/torture

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/installed-dev
	@set -e; for script in benchmarks/*/bench_$(NAME).py; do \
		echo "== $$script"; \
		$(BIN)/python -m "$$(echo "$${script%.py}" | tr / .)"; \
	done

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/created
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/created
	$(PIP) --editable '.[dev]'
	@touch $(VENV)/installed $@

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"encorec needs Python 3.11 or newer, $(PYTHON) is %d.%d: name another with make PYTHON=python3.12" \
		% sys.version_info[:2])'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@
