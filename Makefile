# Plumbline: `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8050
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install run update universe test check lint types format bench soak lock backup restore check-data vacuum schedule clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/.installed ## create .venv and install what the app needs

.venv/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Plumbline needs Python 3.11 or newer: make run PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the packages of requirements.txt into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "Installing the packages of requirements-dev.txt into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: install data.db ## install, build the database where there is none, serve on http://127.0.0.1:8050 (PORT=)
	@$(BIN)/python -m dashapp --port $(PORT)

.PRECIOUS: data.db # Ctrl-C while the standard backtests run: it is published by then

data.db:
	@echo "No data.db yet: building it from the embedded sample ..."
	@$(BIN)/python -m pipeline update

update: install ## refresh the database (SOURCE=yahoo|csv|sample|simulated, DIR=folder of csv, FULL=1)
	@$(BIN)/python -m pipeline update $(if $(SOURCE),--source $(SOURCE)) $(if $(DIR),--path $(DIR)) $(if $(FULL),--full)

universe: install ## refresh the list of index members (FILE=list.csv, FORCE=1; default: Nasdaq's list)
	@$(BIN)/python -m pipeline universe $(if $(FILE),--file $(FILE)) $(if $(FORCE),--force)

test: .venv/.installed-dev ## run every test; sets itself up and finds or installs a Chromium
	@sh tests/browser/chromium.sh
	@$(BIN)/python -m pytest -q -rs --numprocesses=auto --maxprocesses=4 --dist=loadfile

check: lint types test ## what CI runs: lint, types, tests

lint: .venv/.installed-dev ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/.installed-dev ## mypy
	@$(BIN)/mypy

format: .venv/.installed-dev ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.installed-dev ## measure speed, as ratios to named peers and absolute times of the pages
	@$(BIN)/python -m bench

lock: .venv/.installed-dev ## pin every version anew
	@$(BIN)/uv pip compile --quiet --no-header --upgrade requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --no-header --upgrade requirements-dev.in -o requirements-dev.txt

backup: install ## copy both databases into backups/, keeping seven of each
	@$(BIN)/python -m pipeline backup

check-data: install ## read every row of the published store: sound, complete, fresh?
	@$(BIN)/python -m pipeline check

vacuum: install ## give back the space of deleted rows
	@$(BIN)/python -m pipeline vacuum

soak: .venv/.installed-dev ## the long runs: kills at random moments, readers and browsers during updates (minutes)
	@$(BIN)/python -m pytest -q -s tests/soak

restore: install ## bring back the newest backups of what is damaged, else of workspace.db (FILE=)
	@$(BIN)/python -m pipeline restore $(if $(FILE),--file $(FILE))

schedule: install ## print the nightly schedule for cron and systemd, with the paths of this folder
	@$(BIN)/python -m pipeline schedule

clean: ## remove the environment, caches and build database; keeps data.db, workspace.db and backups
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build.db build.db-wal build.db-shm build.mirror build.making
