# Each target makes the virtual environment it needs; PYTHON names the interpreter to make it with.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

.PHONY: demo test lint bench bench-quick fuzz interop

demo: $(VENV)/core.stamp
	@$(BIN)/backpass demo

test: lint
	$(BIN)/pytest -n $(JOBS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config floors.toml --no-logo --no-cache
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks training

# The small networks alone, in under a minute; fails when our lead has fallen.
bench-quick: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks quick

# As many examples as wanted: make fuzz EXAMPLES=100000
EXAMPLES ?= 5000
fuzz: $(VENV)/test.stamp
	BACKPASS_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n $(JOBS) -m fuzz --hypothesis-profile=fuzz

# Exports, run by those for whom they are, and gradients beside PyTorch's: all large, and so in an
# environment of their own.
interop: $(VENV)-interop/stamp
	$(VENV)-interop/bin/pytest tests/interop

$(VENV)-interop/stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)-interop
	$(VENV)-interop/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[interop]'
	@touch $@

$(VENV)/core.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/test.stamp: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/core.stamp

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "backpass needs Python 3.11 or newer, and $(PYTHON) is not." \
	         "Name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make virtual environments." \
	         "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
