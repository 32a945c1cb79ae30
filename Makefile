# WattProof. `make` alone prints what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench clean

help:            ## print this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 20

setup: $(STAMP)  ## make the virtual environment with everything that the other targets need

$(STAMP): pyproject.toml constraints.txt scripts/setup.sh hatch_build.py web/assets.toml web/package-lock.json
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh
	@touch $@

demo: $(STAMP)   ## a region lives through a month; then the node on http://127.0.0.1:8000
	$(BIN)/wattproof demo demo

test: $(STAMP)   ## every test, a file on each core at a time
	@sh scripts/test-setup.sh
	$(BIN)/python -m pytest -q -n auto --maxprocesses=8 --dist loadfile

lint: $(STAMP)   ## formatting, lint rules, strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests bench

bench: $(STAMP)  ## the measurements of bench/, as ratios to baselines in the same run
	$(BIN)/python -m bench

clean:           ## remove what the targets made (a demo ledger included)
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
