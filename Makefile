# `make` alone lists the words. Everything is installed into .venv, with the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help:  ## List these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.created:
	@echo "== Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed; set PYTHON=python3.12, for example" if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "== Installing idist into $(VENV) (some minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "== Installing what the tests and linters need"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed  ## Install the package into .venv

distill: $(VENV)/.installed  ## Distil a paraphrase dataset and a student, offline (about a quarter of an hour)
	@echo "== Running recipes/distill.py"
	$(BIN)/python recipes/distill.py $(ARGS)

$(VENV)/.installed-spaces: $(VENV)/.installed
	@echo "== Installing gradio"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[spaces]'
	@touch $@

demo: $(VENV)/.installed-spaces  ## Show the newest student of runs/ in a browser, offline (after make distill)
	@echo "== Running spaces/impossible_t5"
	$(BIN)/python spaces/impossible_t5/app.py $(ARGS)

leaderboard: $(VENV)/.installed-spaces  ## Show results of the evaluation harness in a browser, offline
	@echo "== Running spaces/leaderboard"
	$(BIN)/python spaces/leaderboard/app.py $(ARGS)

annotate: $(VENV)/.installed-spaces  ## Let people rate outputs of systems in a browser, offline (practice without IDIST_STUDY)
	@echo "== Running spaces/annotate"
	$(BIN)/python spaces/annotate/app.py $(ARGS)

test: $(VENV)/.installed-dev  ## Run the tests
	@echo "== Running the tests"
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-dev  ## Linter, formatter and type checker
	@echo "== Linting"
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

clean:  ## Remove .venv and caches (never runs/)
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache *.egg-info

.PHONY: help install distill demo leaderboard annotate test lint clean
.DEFAULT_GOAL := help
