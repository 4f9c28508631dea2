# Flask and FastAPI side by side. `make bench` and `make test` install what they need on first use.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

# What a run needs and what the tests add are installed apart. The stamps carry the version of Python: another version
# rebuilds .venv, and so does a changed lock.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
INSTALLED := .venv/.run-$(VERSION)
TESTABLE := .venv/.test-$(VERSION)
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL = $(PIP) install --require-hashes --no-deps --no-build-isolation

# Compiled modules are kept, whatever the shell says: a test run starts about a hundred processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock bench test lint unit nightly coverage report compare serve selftest doctor capacity locust-ui wirespeed overhead observer instructions analysis estimators oversell idle-sockets waiting export-memory clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(TESTABLE) ## Install everything into .venv (the other targets do it when needed)

$(INSTALLED): requirements-build.lock requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@echo "installing into .venv (once, a minute or two)"
	@$(PYTHON) -m venv --clear .venv
	@$(INSTALL) -r requirements-build.lock
	@$(INSTALL) -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

$(TESTABLE): $(INSTALLED) requirements-test.lock
	@echo "installing what the tests need in addition"
	@$(INSTALL) -r requirements-test.lock
	@$(PIP) check
	@touch $@

# One resolution for all supported versions of Python (markers tell them apart); versions already locked are kept.
UV = $(or $(shell command -v uv),$(error the lock is made with uv: pip install uv)) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
lock: ## Bring the lock files in line with pyproject.toml (needs uv; ARGS="--upgrade": newest versions)
	@$(UV) $(ARGS) pyproject.toml -o requirements.lock
	@printf 'setuptools\nwheel\n' | $(UV) $(ARGS) -c requirements.lock - -o requirements-build.lock
	@$(UV) $(ARGS) -c requirements.lock --extra test pyproject.toml -o requirements-test.lock \
	    $$(sed -nE 's/^([a-zA-Z0-9_.-]+)==.*/--no-emit-package \1/p' requirements.lock)

bench: $(INSTALLED) ## Measure, judge and report, in at most 5 minutes (options: make bench ARGS="--scenario ping")
	@$(BIN)/sidebyside bench $(ARGS)

test: $(TESTABLE) lint unit ## Run all checks and tests

lint: $(TESTABLE) ## Style, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

# Three workers on two CPUs: tests wait for servers now and then. A file stays whole, so that what it measured once is not
# measured again in another worker; those that measure most are among the first.
SIDE_BY_SIDE = --numprocesses 3 --dist loadfile --no-loadscope-reorder

unit: $(TESTABLE)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

nightly: $(TESTABLE) ## Long random tests: 50,000 requests to both apps, and a long schemathesis run (15 minutes)
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/contract/test_parity.py tests/contract/test_schemathesis.py $(ARGS)

coverage: $(TESTABLE) ## Run the tests and show which lines they miss
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(ARGS)

report: $(INSTALLED) ## Rewrite a run's report: make report RUN=results/...
	@$(BIN)/sidebyside report $(or $(RUN),$(error name a run: make report RUN=results/...))

compare: $(INSTALLED) ## Compare two runs: make compare A=results/... B=results/...
	@$(BIN)/sidebyside compare $(or $(A),$(error name two runs: make compare A=... B=...)) $(or $(B),$(error name two runs: make compare A=... B=...))

serve: $(INSTALLED) ## Run one server with data: make serve CONTESTANT=flask-gthread
	@$(BIN)/sidebyside serve $(or $(CONTESTANT),flask-gthread)

selftest: $(INSTALLED) ## Measure servers with known figures: is the suite right? (half an hour; ARGS="--budget 10m")
	@$(BIN)/sidebyside selftest $(ARGS)

doctor: $(INSTALLED) ## Find what on this machine will hurt a benchmark, and how small a difference it can show
	@$(BIN)/sidebyside doctor $(ARGS)

capacity: $(INSTALLED) ## Find the highest rate that each server can handle (options: make capacity ARGS="--slo 50ms")
	@$(BIN)/sidebyside capacity $(ARGS)

locust-ui: $(INSTALLED) ## Locust's web page with a shopper: make locust-ui HOST=http://127.0.0.1:8000
	@$(BIN)/locust -f loadtests/locustfile.py --host $(or $(HOST),$(error start `make serve` first and name its URL: make locust-ui HOST=http://...))

wirespeed: $(INSTALLED) ## Compare our wire client with Locust's own, in one run
	@$(BIN)/python -m loadtests.studies.wirespeed

overhead: $(INSTALLED) ## Compare both apps' ping with bare one-route apps, in one run
	@$(BIN)/python -m loadtests.studies.overhead

observer: $(INSTALLED) ## Time what observing garbage collections costs the servers, in one run
	@$(BIN)/python -m loadtests.studies.observer

instructions: $(INSTALLED) ## Count both apps' instructions per request with valgrind (ARGS="--base ../other": another checkout too)
	@$(BIN)/python -m loadtests.studies.instructions $(ARGS)

analysis: $(INSTALLED) ## Analyse ten million made-up samples: how much time and memory it takes
	@$(BIN)/python -m loadtests.studies.analysis $(ARGS)

idle-sockets: $(INSTALLED) ## Open a thousand WebSockets to each app: how much memory they take
	@$(BIN)/python -m loadtests.studies.sockets

waiting: $(INSTALLED) ## Throughput and response times of requests that wait, for 1 to 1,000 users (five minutes)
	@$(BIN)/python -m loadtests.studies.waiting

export-memory: $(INSTALLED) ## Download a million rows from each app: how much memory that takes (ARGS="20000": fewer)
	@$(BIN)/python -m loadtests.studies.export $(ARGS)

estimators: $(INSTALLED) ## Test candidate estimators on a selftest's samples: make estimators RUN=results/selftest-...
	@$(BIN)/python -m loadtests.studies.estimators $(or $(RUN),$(error name a selftest: make estimators RUN=results/selftest-...))

oversell: $(INSTALLED) ## Show how far "answer now, take the stock later" oversells, and that the real route does not
	@$(BIN)/python -m loadtests.studies.oversell

clean: ## Remove .venv and caches; results stay
	@rm -rf .venv .mypy_cache .ruff_cache .hypothesis .coverage build *.egg-info
