# Flask and FastAPI side by side. `make bench` and `make test` install what they need on first use.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
ARGS ?=

# Compiled modules are kept, however the shell is set: a test run starts some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup bench test lint unit nightly coverage report compare serve selftest doctor capacity locust-ui wirespeed overhead analysis estimators oversell idle-sockets export-memory clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(INSTALLED) ## Install everything into .venv (done by the others when needed)

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@echo "installing into .venv (once, a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: $(INSTALLED) ## Measure, judge and report, in 5 minutes at most (options: make bench ARGS="--scenario ping")
	@$(BIN)/sidebyside bench $(ARGS)

test: $(INSTALLED) lint unit ## Run all checks and tests

lint: $(INSTALLED) ## Style, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

unit: $(INSTALLED)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

nightly: $(INSTALLED) ## Long random tests: 50,000 requests to both apps, and schemathesis at length (a quarter of an hour)
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/test_parity.py tests/test_schemathesis.py $(ARGS)

coverage: $(INSTALLED) ## Run the tests and show which lines none of them reaches
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered $(ARGS)

report: $(INSTALLED) ## Write a run's report anew: make report RUN=results/...
	@$(BIN)/sidebyside report $(or $(RUN),$(error name a run: make report RUN=results/...))

compare: $(INSTALLED) ## Compare two runs: make compare A=results/... B=results/...
	@$(BIN)/sidebyside compare $(or $(A),$(error name two runs: make compare A=... B=...)) $(or $(B),$(error name two runs: make compare A=... B=...))

serve: $(INSTALLED) ## Run one server with data: make serve CONTESTANT=flask-gthread
	@$(BIN)/sidebyside serve $(or $(CONTESTANT),flask-gthread)

selftest: $(INSTALLED) ## Measure servers whose truth is known: is the suite right? (half an hour; ARGS="--budget 10m")
	@$(BIN)/sidebyside selftest $(ARGS)

doctor: $(INSTALLED) ## Say what on this machine will hurt a benchmark, and how small a difference it can show
	@$(BIN)/sidebyside doctor $(ARGS)

capacity: $(INSTALLED) ## Find the highest rate that each server carries (options: make capacity ARGS="--slo 50ms")
	@$(BIN)/sidebyside capacity $(ARGS)

locust-ui: $(INSTALLED) ## Locust's web page with a shopper: make locust-ui HOST=http://127.0.0.1:8000
	@$(BIN)/locust -f loadtests/locustfile.py --host $(or $(HOST),$(error start `make serve` first and name its URL: make locust-ui HOST=http://...))

wirespeed: $(INSTALLED) ## Compare our wire client with Locust's own, in one run
	@$(BIN)/python -m loadtests.figures.wirespeed

overhead: $(INSTALLED) ## Compare both apps' ping with bare one-route apps, in one run
	@$(BIN)/python -m loadtests.figures.overhead

analysis: $(INSTALLED) ## Analyse ten million made-up samples: how long, in how much memory
	@$(BIN)/python -m loadtests.figures.analysis $(ARGS)

idle-sockets: $(INSTALLED) ## Open a thousand WebSockets to either app: how much memory they cost
	@$(BIN)/python -m loadtests.figures.sockets

export-memory: $(INSTALLED) ## Download a million rows from either app: how much memory that takes (ARGS="20000": fewer)
	@$(BIN)/python -m loadtests.figures.export $(ARGS)

estimators: $(INSTALLED) ## Hold candidate estimators against a selftest's samples: make estimators RUN=results/selftest-...
	@$(BIN)/python -m loadtests.figures.estimators $(or $(RUN),$(error name a selftest: make estimators RUN=results/selftest-...))

oversell: $(INSTALLED) ## Show how far "answer now, take the stock later" oversells, and that the real route does not
	@$(BIN)/python -m loadtests.figures.oversell

clean: ## Remove .venv and caches; results stay
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis .coverage build *.egg-info
