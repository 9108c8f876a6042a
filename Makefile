# The whole daily loop. `make demo` and `make test` install all they need; see CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTION ?= local
COLLECTOR := build/otelcol-$(DISTRIBUTION)

.PHONY: help demo test test-all lint format collector clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

clean: ## Remove what was built
	rm -rf $(VENV) build dist
