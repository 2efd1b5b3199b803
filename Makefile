# Commands for people who run or change Tickettruhe. `make` alone lists them.
# The virtual environment is made and refreshed by itself: first on use, then whenever pyproject.toml changes.

PYTHON ?= python3
ARGS ?=
CASES ?= 100000

# The tests' databases are kept in memory where there is room: a third of the time would be waiting for disks.
MEMORY := $(shell df --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 2000000 {print "/dev/shm"}')

# Two processes, each with a homeserver and a PostgreSQL of its own; a file's tests stay together and in order.
# The longest files come before many short ones, so that both end at about the same time.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test faults check catalogs bench fuzz clean

help: ## list the commands
	@echo "make <command> [ARGS='...'] [PYTHON=python3.12]"
	@sed -nE 's/^([a-z]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.installed-demo ## try it: a local Matrix homeserver with bot, rooms and people (ARGS=--once: no keyboard)
	@$(BIN)/python -m bot demo $(ARGS)

test: $(VENV)/.installed-dev ## run all tests, the fast ones first (ARGS='-k take -x')
	$(if $(MEMORY),TMPDIR=$(MEMORY)) $(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/unit tests/integration tests/fuzz tests/faults tests/acceptance --durations 20 $(ARGS)

faults: $(VENV)/.installed-dev ## kill the bot 1,000 times, with every other fault: under an hour (ARGS='--kills 100 --seed 7')
	$(if $(MEMORY),TMPDIR=$(MEMORY)) $(BIN)/python -m tests.faults $(ARGS)

check: $(VENV)/.installed-dev ## formatting, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

catalogs: $(VENV)/.installed-dev ## bring the translations up to date with the texts in the code
	@$(BIN)/python -m bot.catalogs

fuzz: $(VENV)/.installed-dev ## the fuzz tests with many more cases (ARGS='-k http'; CASES=100000)
	TICKETTRUHE_FUZZ=$(CASES) $(if $(MEMORY),TMPDIR=$(MEMORY)) \
		$(BIN)/python -m pytest tests/fuzz --timeout 0 --hypothesis-show-statistics $(ARGS)

bench: $(VENV)/.installed-dev ## measure, as ratios to named baselines of the same run: 20 minutes (ARGS='latency intake')
	@$(BIN)/python -m tests.benchmarks $(ARGS)

clean: ## remove the virtual environment
	rm -rf $(VENV)

# Whoever has the tools for development has those of the demo too.
$(VENV)/.installed-demo: pyproject.toml | $(BIN)/python
	@test $(VENV)/.installed-dev -nt pyproject.toml || \
		{ echo "Installing what the demo needs; this takes a minute …"; $(INSTALL) --editable '.[demo]'; }
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing what development and tests need; this takes a minute or two …"
	@$(INSTALL) --editable '.[dev]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tickettruhe needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
		"Name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make virtual environments. On Debian: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
