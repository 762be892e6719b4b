# Everything goes into .venv, .uv and .peers; nothing else on the machine is touched, but for the
# Debian packages that `make test` and `make bench` need, installed only when you are root.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin
UV := .uv/bin/uv
UV_VERSION := 0.13.9
INSTALL := $(UV) pip install --quiet --require-hashes --only-binary :all:
COMPILE := $(UV) pip compile --universal --generate-hashes --quiet --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo serve test check bench faults fuzz docs lock clean

help: ## what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 8

demo: .venv/.runtime ## the whole life of a registration against a real server
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./scripts/demo

serve: .venv/.runtime ## a sandbox bank on https://127.0.0.1:8443, in ./sandbox
	@$(BIN)/enrol sandbox up sandbox

test: .venv/.dev .peers/.installed ## all tests; installs the Debian packages they need when root
	@./scripts/system-packages test
	@$(BIN)/python -m pytest $(ARGS)

check: .venv/.dev ## style, types, floors, documents, known vulnerabilities
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/docs
	@$(BIN)/pip-audit --requirement requirements/runtime.txt --require-hashes --disable-pip --progress-spinner off

bench: .venv/.dev .peers/.installed ## speed and memory beside the peers; writes docs/reference/performance.md
	@./scripts/system-packages bench
	@$(BIN)/python -m bench $(ARGS)

faults: .venv/.dev ## kills, full disks and the like under load; writes docs/reference/reliability.md
	@./scripts/system-packages faults
	@PYTHONPATH=tests $(BIN)/python -m faults $(ARGS)

fuzz: .venv/.dev ## the parsers under a coverage-guided fuzzer, 60 seconds each
	@$(INSTALL) -r requirements/fuzz.txt
	@for target in tests/fuzz/fuzz_*.py; do $(BIN)/python $$target -max_total_time=60 || exit 1; done

docs: .venv/.dev ## the parts of docs/reference that are made from code
	@$(BIN)/python scripts/reference.py

lock: $(UV) ## resolve the locks anew, with hashes
	@$(COMPILE) --upgrade pyproject.toml -o requirements/runtime.txt
	@$(COMPILE) --upgrade pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	@$(COMPILE) --upgrade --group peers -o requirements/peers.txt
	@$(COMPILE) --upgrade --group fuzz -o requirements/fuzz.txt
	@echo "uv==$(UV_VERSION)" | $(COMPILE) - -o requirements/uv.txt

clean: ## remove what was installed and made
	@rm -rf .venv .uv .peers sandbox tests/interop/node_modules bench/peers/node_modules

$(UV):
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt

.venv/.runtime: $(UV) requirements/runtime.txt pyproject.toml
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(INSTALL) -r requirements/runtime.txt
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

.peers/.installed: $(UV) requirements/peers.txt
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .peers
	@VIRTUAL_ENV=.peers $(UV) pip install --quiet --require-hashes -r requirements/peers.txt
	@touch $@
