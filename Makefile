# `make` alone prints the targets. Each does what is needed before it: `make test` on a bare Debian installs first.
#   STACK=docker   start, stop, reset, status: Supabase's own containers instead of the embedded stack
#   STACK=native   the same parts as processes, without containers: an experiment of the Supabase CLI's
#   PORT=55321     start: the gateway's port; the others follow, and later starts keep them
#   ARGS="…"       passed on: make test ARGS="-k webhook", make logs ARGS="-f functions", make psql ARGS="-c 'select 1'"

#   PG=15          the PostgreSQL to use instead of the newest installed: make test PG=15

PYTHON ?= python3
STACK  ?= embedded
ARGS   ?=
ROWS   ?= 100000
EMAIL  ?= kari@nhf.example
# Not from the environment, where PORT is often somebody else's.
GATEWAY = $(if $(filter command,$(origin PORT)),--port $(PORT))
VENV   := .venv/bin
export FERSK_POSTGRES := $(PG)
UV     := $(shell command -v $(VENV)/uv || command -v uv)
LOCAL  := $(VENV)/python -m local
# The machine's Node.js, or else the one that setup installed.
NPM_BIN := PATH="$$PATH:$(VENV)" node_modules/.bin

.DEFAULT_GOAL := help
.PHONY: help setup start stop status logs reset destroy psql rollback watch seed-large test unit db test-stack \
        bench-stats bench-hierarchy bench-snapshots bench-neighbours bench-results bufdir-alignment contracts schema \
        console demo screenshots audit lint fmt lock fresh check ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (nothing to do: well under a second)
	@$(PYTHON) -m local.install

start: setup ## start the stack, apply new migrations, print how to reach it: PORT=54321
	@$(LOCAL) start --engine $(STACK) $(GATEWAY)

stop: setup ## stop the stack; the data stay
	@$(LOCAL) stop --engine $(STACK)

status: setup ## what runs, where, with which keys
	@$(LOCAL) status --engine $(STACK)

logs: setup ## show logs: ARGS="[-f] [-n LINES] [postgres rest gateway functions pg_net]"
	@$(LOCAL) logs $(ARGS)

reset: setup ## throw the database away and start with a new one
	@$(LOCAL) reset --engine $(STACK)

destroy: setup ## stop the stack and remove its data, secrets and logs
	@$(LOCAL) destroy

psql: setup ## psql on the running database: ARGS="[--admin] [psql options]"
	@$(LOCAL) psql $(ARGS)

rollback: setup ## undo the latest migration: says what is lost, and asks; YES=1 does not
	@$(LOCAL) rollback $(if $(filter 1,$(YES)),--yes)

watch: setup ## print what is broadcast to a user's organisation: EMAIL=kari@nhf.example
	@$(VENV)/python -m tools.watch $(EMAIL)

seed-large: setup ## add a large organisation to the running database: ROWS=100000
	@$(VENV)/python -m tools.large.seed --rows $(ROWS) $(ARGS)

test: setup ## all tests, on a stack of their own: ARGS="-k name"
	@$(VENV)/pytest $(ARGS)

unit: setup ## the tests that need no database
	@$(VENV)/pytest tests/unit $(ARGS)

db: setup ## the tests of the database alone: pgTAP, migrations, exactness, load, faults
	@$(VENV)/pytest tests/database tests/resilience $(ARGS)

test-stack: setup ## the tests of all parts together, on a stack of their own
	@$(VENV)/pytest tests/functions tests/stack tests/story tests/browser $(ARGS)

bench-stats: setup ## measure the statistics on a cluster of its own: ARGS="--quick"
	@$(VENV)/python -m bench.stats $(ARGS)

bench-hierarchy: setup ## measure the hierarchy on a cluster of its own: ARGS="--quick"
	@$(VENV)/python -m bench.hierarchy $(ARGS)

bench-snapshots: setup ## measure saved reports through a stack of its own: ARGS="--quick"
	@$(VENV)/python -m bench.snapshots $(ARGS)

bench-neighbours: setup ## measure what others notice of an attack, on a stack of its own: ARGS="--quick"
	@$(VENV)/python -m bench.neighbours $(ARGS)

bench-results: setup ## copy what the benches wrote last to bench/results, with a page to read
	@$(VENV)/python -m bench.results

bufdir-alignment: setup ## check that dashboard and report agree, also on the reference dataset
	@PYTHONPATH=functions $(VENV)/python -m tools.alignment $(ARGS)

contracts: setup ## write docs/reference/contracts anew from tools/contracts.py
	@PYTHONPATH=functions $(VENV)/python -m tools.contracts

schema: setup ## write supabase/schema.sql anew: what the migrations make
	@$(VENV)/python -m tools.schema

console: setup ## write the console to build/console, to deploy beside a project: URL=https://… KEY=sb_publishable_…
	@$(VENV)/python -m tools.console "$(URL)" "$(KEY)"

demo: start ## watch the console while activities come from the terminal, also without functions
	@$(VENV)/python -m tools.demo

screenshots: setup ## take the pictures of the console anew, of the running stack
	@$(VENV)/python -m tools.screenshots

audit: setup ## look up what is installed among known vulnerabilities: needs the network
	@$(VENV)/python -m tools.audit

lint: setup ## ruff, mypy, biome and tsc, and SQL short and narrow enough to read; changing nothing
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(NPM_BIN)/biome check --error-on-warnings
	@$(NPM_BIN)/tsc --project .
	@$(VENV)/pytest -q tests/contract/test_migration_files.py

fmt: setup ## format, and fix what can be fixed by itself
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .
	@$(NPM_BIN)/biome check --write

lock: setup ## compile the lists of dependencies again; UPGRADE=1 takes the newest versions
	@for list in functions:functions/requirements dev:requirements-dev \
	  installer:local/requirements-installer node:local/requirements-node; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	    --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) --group "$${list%%:*}" \
	    --output-file "$${list##*:}.txt" pyproject.toml || exit 1; done
	@npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

fresh: ## install, start and try everything on emptied machines of Debian (root only): ARGS="bookworm trixie"
	@.ci/fresh-machines $(ARGS)

check: lint test ## what must pass before a commit

ci: ## what .ci/run does on a bare machine
	@.ci/run
