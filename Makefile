# `make help` lists the targets. Everything runs from this checkout; nothing is installed outside it
# but Debian's chromium, and that only where no browser is found.

PYTHON ?= python3.11
BIN := .venv/bin
# Every start would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# Two workers; each keeps to its half of the files, so that it shares their fixtures, until it has to help the other.
PARALLEL := -n 2 --dist worksteal
# A test that fails in a pipe fails the target.
SHELL := /bin/bash -o pipefail
# The four rooms and what checks them; tests are linted too.
ROOMS := labelloop tasks flows deployments
COMPILE := .local/bootstrap/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help setup lint types check quick test test-integration test-e2e test-pure screenshots demo bench crash mutate up down clean lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install everything; nothing to do when current
	@$(PYTHON) -m deployments.local.install

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: setup
	@$(BIN)/mypy

check: ## lint, types, architecture and the quick unit tests, under 30 seconds
	@$(MAKE) --no-print-directory --jobs 3 lint types quick

quick: setup
	@$(BIN)/pytest -q $(PARALLEL) -m "not slow" tests/unit

# Three lanes side by side, each on a stack of its own, because tests on servers wait more than they work. Warnings are
# errors but on the servers, where most are those of client libraries and come when the garbage collector pleases.
test: lint types ## all of check and the whole suite on real servers and in a real browser
	@$(MAKE) --no-print-directory --jobs 3 test-integration test-e2e test-pure

test-integration: setup
	@$(BIN)/pytest -v -W default tests/integration | sed -u 's/^/servers  /'

test-e2e: setup
	@$(BIN)/pytest -v -W default tests/e2e | sed -u 's/^/e2e      /'
	@$(BIN)/pytest -v -W default tests/browser | sed -u 's/^/browser  /'

test-pure: setup
	@nice $(BIN)/pytest -q $(PARALLEL) tests/unit tests/stages labelloop tasks deployments | sed -u 's/^/pure     /'

screenshots: setup ## answer every template in the browser, and keep pictures of the pages for the docs
	@LABELLOOP_SCREENSHOTS=docs/screenshots $(BIN)/pytest -q -W default tests/browser/test_templates.py tests/browser/test_review.py

demo: setup ## the whole loop on real images, then where to look
	@$(BIN)/labelloop demo

bench: setup ## every benchmark, peers in the same run; writes docs/benchmarks.md
	@$(PYTHON) -m benchmarks.peers
	@$(BIN)/python -m benchmarks

crash: setup ## kill the weekly batch at every stage boundary and erasures at every request; an hour or more; PART=3/8 for a part
	@LABELLOOP_CRASH=$(or $(PART),full) $(BIN)/pytest -q -s -W default \
		$(if $(PART),,tests/e2e/test_crash.py) tests/e2e/test_erasure_crash.py

mutate: setup ## plant known bugs one by one; each must turn a test red
	@$(BIN)/python -m tests.mutations

up: setup ## start the local stack
	@$(BIN)/labelloop up

down: setup ## end the local stack
	@$(BIN)/labelloop down

clean: ## end the stack and remove its state and all caches; the environments stay
	@test ! -x $(BIN)/labelloop || $(BIN)/labelloop down
	@rm -rf .local .pytest_cache .mypy_cache .ruff_cache .hypothesis out *.egg-info
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

lock: setup ## resolve all locks anew
	@$(COMPILE) --group dev pyproject.toml -o requirements.lock
	@$(COMPILE) deployments/local/label-studio.in -o deployments/local/label-studio.lock
	@$(COMPILE) deployments/local/uv.in -o deployments/local/uv.lock
	@$(COMPILE) benchmarks/peers.in -o benchmarks/peers.lock
