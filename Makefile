# GenBat: `make app` serves it, `make test` checks it. Both install what is missing, and only that.

PYTHON ?= python3
PORT ?= 8501

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
RUNTIME := requirements.txt pyproject.toml setup.py genbat/__init__.py

# A stamp's name carries the checksum of all that decides what gets installed (and of the place:
# a moved checkout installs itself again).
stamp = $(VENV)/.stamp-$(1)-$(shell { cat $(2); pwd; } | cksum | cut -d' ' -f1)
APP := $(call stamp,app,$(RUNTIME))
DEV := $(call stamp,test,$(RUNTIME) requirements-dev.txt)

.DEFAULT_GOAL := help
.PHONY: help app test lint fmt bench screenshots chromium clean distclean

help:
	@echo "make app        install what is missing and serve the app on 127.0.0.1:$(PORT)"
	@echo "make test       install what the tests need and run them all"
	@echo "make lint       ruff, the type checker, the rings' import contracts"
	@echo "make fmt        let ruff format and repair"
	@echo "make bench      run the scripts in benchmarks/"
	@echo "make screenshots  take the README's pictures with the tests' browser"
	@echo "make clean      remove caches and build leftovers; distclean: the environment too"

app: $(APP)
	@exec $(BIN)/genbat app --port $(PORT)

# Two at a time, a file each; the browser wants the machine for itself.
test: $(DEV) chromium
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser
	@$(BIN)/python -m pytest tests/browser

lint: $(DEV)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo

fmt: $(DEV)
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

screenshots: $(DEV) chromium
	@GENBAT_SHOTS=docs/screenshots $(BIN)/python -m pytest tests/browser -q \
	  -k "screenshots or home_leads or share_their_axis or search_runs or links_table or search_card or walk_between or found_by_its or dense_to_open"

bench: $(DEV) chromium
	@set -e; for script in benchmarks/*.py; do \
	  echo "== $$script"; $(BIN)/python "$$script"; \
	done

# torch goes first and alone: where pip knows a CPU build of that version, it then takes that one.
$(APP):
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "GenBat needs Python 3.11 or newer; there is no $(PYTHON) here (make PYTHON=... names another)"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "GenBat needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1) (make PYTHON=... names another)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing GenBat's requirements into $(VENV) (some minutes, once)"
	@$(PIP) install "$$(grep '^torch==' requirements.txt)"
	@$(PIP) install -r requirements.txt
	@$(PIP) install --no-deps -e .
	@rm -f $(VENV)/.stamp-app-* && touch $@

$(DEV): | $(APP)
	@echo "Installing what the tests need into $(VENV)"
	@$(PIP) install -r requirements-dev.txt
	@rm -f $(VENV)/.stamp-test-* && touch $@

# The browser tests drive a system Chromium; without one they skip and say so.
chromium:
	@for name in chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null; then exit 0; fi; \
	done; \
	as=""; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
	if ! command -v apt-get >/dev/null; then \
	  echo "Browser tests will skip: no chromium on PATH, and no apt-get here to install it."; \
	elif ! $$as true 2>/dev/null; then \
	  echo "Browser tests will skip: no chromium on PATH, and apt-get needs root (apt-get install chromium)."; \
	else \
	  echo "Installing chromium for the browser tests"; \
	  { $$as apt-get update -qq && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	    --no-install-recommends chromium fonts-liberation; } >/dev/null || \
	  echo "Browser tests will skip: apt-get could not install chromium."; \
	fi

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
