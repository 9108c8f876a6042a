# The whole daily loop. `make demo` and `make test` install all that they need; see CONTRIBUTING.md.
PYTHON ?= python3
DISTRIBUTION ?= local
PORT ?= 8080
KEEP ?=
SOAK_MINUTES ?= 10
ARGS ?=
# Tests wait for processes more than they compute; a file's tests stay together, for the parts they share.
PYTEST = $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# uv installs the environment; it does not read pip's settings, so an index that pip was told of is handed on.
PIP_INDEX := $(or $(PIP_INDEX_URL),$(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null))
ifneq ($(PIP_INDEX),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX)
endif

.PHONY: help demo test test-all lint format collector rendered bench bench-quick soak clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## One request through real parts, to a monitor that fires (KEEP=1 keeps it up, PORT=8080)
	@$(MAKE) --no-print-directory collector DISTRIBUTION=local
	@exec $(BIN)/python -m examples.demo --port $(PORT) $(if $(KEEP),--keep)

test: $(READY) ## All tests but the slow ones; they need no more than the `local` collector (ARGS="-k name")
	@$(MAKE) --no-print-directory collector DISTRIBUTION=local
	$(PYTEST) -m "not kit and not conformance and not slow" $(ARGS)

test-all: $(READY) ## All tests: also the slow ones, on the `kit` collector, and OpenTelemetry's own on ours
	@$(MAKE) --no-print-directory collector DISTRIBUTION=local
	@$(MAKE) --no-print-directory collector DISTRIBUTION=kit
	$(PYTEST) $(ARGS)

lint: $(READY) ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

collector: $(READY) ## Build a collector: DISTRIBUTION=local|kit -> build/otelcol-...
	@$(BIN)/python collector/distribution/build.py $(DISTRIBUTION)

rendered: $(READY) ## Render the collectors of dev, staging and prod again
	$(BIN)/otel-kit collector render --env dev --env staging --env prod

bench: $(READY) ## Measure otel-kit beside its peers; the result goes to benchmarks/results (ARGS="--only fastapi")
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(READY) ## The same in three minutes, for orientation
	$(BIN)/python -m benchmarks --quick $(ARGS)

soak: $(READY) ## A service under load while the collector fails in every way (SOAK_MINUTES=10)
	$(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES)

clean: ## Remove what was built and installed
	rm -rf $(VENV) build dist

$(READY): pyproject.toml
	@echo "Setting up the Python environment in $(VENV), then building the collector: minutes, once ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "error: $(PYTHON) is older than Python 3.10; name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "error: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
		|| { echo "error: cannot install from the Python package index; check the network or proxy, then run make again"; exit 1; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[all]' --group test --group lint --group build \
		|| { echo "error: cannot install the dependencies (see above); check the network or proxy, then run make again"; exit 1; }
	@touch $@
