# make demo | make test | make check: each sets up what it needs by itself.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
# Bytecode is kept, whatever the shell says: dozens of processes would each compile a thousand modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test check format e2e deploy bench documents clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## everything into .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Demarc needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.13 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (about 800 MB, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock | cut -d' ' -f1)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(NODE_READY): package-lock.json $(READY)
	@echo "setting up node_modules (the pinned CDK CLI)"
	@$(BIN)/python -m infra npm ci --silent --no-audit --no-fund
	@touch $@

demo: $(READY) ## a story of configuration changes becomes attributed findings, on embedded AWS
	@$(BIN)/python -m tests.simulation.demo

test: $(READY) ## all tests, but for the deployment (make e2e)
	@$(BIN)/pytest -q -n 2 --dist worksteal --ignore tests/e2e

check: $(READY) ## the definition of done: format, lint, types, import contracts, end to end, all tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory e2e
	@$(MAKE) --no-print-directory test

format: $(READY) ## format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

documents: $(READY) ## regenerate schemas and reference pages
	@$(BIN)/python -m demarc.cli.documents

e2e: $(READY) $(NODE_READY) ## deploy the real template with the CDK CLI into a local emulator and run a change through it
	@$(BIN)/python -m pytest -q tests/e2e

deploy: $(READY) $(NODE_READY) ## deploy with the credentials of your shell; ARGS="-c encryption=customer-managed" and the like
	@$(BIN)/python -m infra cdk synth --quiet --no-notices --output cdk.out $(ARGS)
	@$(BIN)/python -m infra cdk bootstrap --no-notices --app cdk.out
	@$(BIN)/python -m infra cdk deploy --no-notices --app cdk.out

bench: $(READY) ## measure; prints a table and writes build/bench.json
	@$(BIN)/python -m tests.benchmarks

clean: ## remove what was built and installed
	@rm -rf $(VENV) node_modules build cdk.out
