# Everything a contributor types. What sets things up talks on stderr: stdout belongs to the command itself.
#
# `make PYTHON=python3.13 ...` chooses the interpreter when .venv is made; `make clean` forgets it.
# ARGS is handed on: `make test ARGS="tests/tokens -x"`.

PYTHON ?= python3
ARGS ?=

# uv takes its interpreter from .venv and fetches none. Which registry it asks is this machine's business.
export UV_PYTHON_DOWNLOADS := never

# Where nothing that was compiled is kept, each of the hundreds of programs that the tests start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.8
JS := tests/sdk/js
BROWSER := tests/browser/js
UI := tests/browser/ui
CHAT := examples/chat
OLD_CHATS := $(foreach version,1.0 1.1 1.2,.venv-sdk-chat-$(version)/.ready)
OIDC := benchmarks/peers/oidc-provider
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help quickstart serve dev example-chat test test-postgres test-clients test-browser coverage check bench bench-quick bench-growth bench-sockets bench-peers soak wheel lock docs-picture docs-chat sdk-js browser-js clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: .venv/.runtime ## Create an identity, issue a token, revoke it and delete the identity.
	@$(BIN)/watchword quickstart $(ARGS)

serve: .venv/.runtime ## Run the service on a data directory.
	@$(BIN)/watchword serve $(ARGS)

dev: .venv/.runtime ## Run a throw-away service with a well-known access key, on loopback only.
	@$(BIN)/watchword dev $(ARGS)

example-chat: .venv/.runtime $(CHAT)/built/page.js ## Run the example of an app with a chat, on the running service or on one of its own (needs Node.js).
	@$(BIN)/python examples/chat/server.py

# pytest(lane): the tests of a lane, or those that ARGS names.
# In the order of their names: files of few tests, which take longest, would all come last.
pytest = $(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(if $(ARGS),$(ARGS),--lane=$(1))
PROCESSES = auto

# These wait for servers for a third of their time: there is work for one process more than there are cores.
test: PROCESSES = $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

test: .venv/.dev ## Run the tests of the core; a missing tool skips its tests, or fails them with REQUIRE_ALL=1.
	@$(call pytest,core)

test-postgres: .venv/.dev ## Run on PostgreSQL what differs by engine.
	@WATCHWORD_TEST_ENGINE=postgres $(call pytest,postgres)

test-clients: .venv/.dev .venv-sdk-1.0/.ready $(OLD_CHATS) sdk-js bench-peers ## Run the official clients, and other programs of others, against the service.
	@$(call pytest,clients)

test-browser: .venv/.dev browser-js ## Run what only a real browser can judge.
	@$(call pytest,browser)

coverage: .venv/.dev .venv-sdk-1.0/.ready $(OLD_CHATS) sdk-js browser-js bench-peers ## Run every test and show the lines that none of them reached.
	@mkdir -p .coverage
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

check: .venv/.dev ## Check format, lint, types, import rules and the repository's own rules.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict src tests benchmarks
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/repository

bench: .venv/.dev bench-peers bench-growth bench-sockets ## Measure everything, beside this machine's limits and the peers: benchmarks/report/.
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/.dev ## The main ratios in under three minutes, with wider intervals; printed only.
	@$(BIN)/python -m benchmarks --quick $(ARGS)

bench-growth: .venv/.dev ## What a request costs with 10 thousand, 1 million and 10 million identities.
	@$(BIN)/python -m benchmarks.growth $(GROWTH_ARGS)

bench-sockets: .venv/.dev ## What 10 thousand realtime sockets cost, plain and with TLS.
	@$(BIN)/python -m benchmarks.sockets $(SOCKET_ARGS)

soak: .venv/.dev ## Run the long forms of the tests, and those that take minutes.
	@SOAK_EXAMPLES=100 WATCHWORD_SOAK_ROUNDS=20 $(BIN)/python -m pytest -m "soak or not soak" --capture=no $(ARGS) tests

wheel: .venv/.runtime ## Build dist/watchword-*.whl.
	@$(BIN)/python -m hatchling build --target wheel

docs-picture: .venv/.dev ## Draw docs/architecture.svg from the imports.
	@$(BIN)/python -m tests.support.picture

docs-chat: .venv/.dev $(CHAT)/built/page.js ## Take docs/chat.png, a picture of the example in a real Chromium.
	@$(BIN)/python -m tests.support.side_by_side

lock: .venv/.uv ## Write the lock files anew; ARGS=--upgrade moves to the newest versions.
	@$(COMPILE) --extra server --extra postgres pyproject.toml --output-file requirements.lock >/dev/null
	@$(COMPILE) --extra server --extra postgres --extra otel --group dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock >/dev/null
	@$(COMPILE) --group build --output-file requirements-build.lock >/dev/null
	@$(COMPILE) --group sdk-1-0 --output-file requirements-sdk-1.0.lock >/dev/null
	@$(COMPILE) --group sdk-chat-1-0 --output-file requirements-sdk-chat-1.0.lock >/dev/null
	@$(COMPILE) --group sdk-chat-1-1 --output-file requirements-sdk-chat-1.1.lock >/dev/null
	@$(COMPILE) --group sdk-chat-1-2 --output-file requirements-sdk-chat-1.2.lock >/dev/null
	@$(COMPILE) --group bench --output-file requirements-bench.lock >/dev/null
	@echo "uv==$(UV_VERSION)" | $(COMPILE) - --output-file .venv/requirements-uv.lock >/dev/null
	@cmp -s .venv/requirements-uv.lock requirements-uv.lock || cp .venv/requirements-uv.lock requirements-uv.lock
	@cd $(JS) && npm install --package-lock-only --ignore-scripts >&2
	@for folder in $(BROWSER) $(UI) $(CHAT); do (cd $$folder && npm install --package-lock-only --ignore-scripts >&2) || exit 1; done
	@cd $(OIDC) && npm install --package-lock-only --ignore-scripts >&2

clean: ## Remove environments, caches and builds.
	@rm -rf .venv .venv-sdk-1.0 .venv-sdk-chat-* .venv-bench $(addsuffix /node_modules,$(JS) $(BROWSER) $(UI) $(CHAT) $(OIDC)) $(CHAT)/built tests/sdk/java/target dist .coverage .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# -- Environments: a stamp stands for each, and is newer than the files that it was made from. -------------------------

# install(python, lock files): exactly what the lock files say. A machine may have told only pip how to reach its
# registry, so pip tries where uv fails; both refuse a file whose hash is not in the lock.
install = $(UV) pip sync --quiet --python $(1) --require-hashes $(2) >&2 || \
	{ echo "uv could not install; trying pip, which may be configured differently." >&2; \
	  $(BIN)/python -m pip --python $(1) install --quiet --require-hashes $(patsubst %,--requirement %,$(2)) >&2; }

# editable: the package itself, from src/, built by the locked backend.
editable = $(UV) pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable . >&2

.venv/.uv: requirements-uv.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or name one with 'make PYTHON=...'." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: Watchword needs Python 3.11 or newer, name one with 'make PYTHON=...'." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment: run 'apt install python3-venv', then try again." >&2; exit 1; }
	@echo "Setting up .venv (the first time only) ..." >&2
	@"$(PYTHON)" -m venv --clear .venv >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-uv.lock >&2
	@touch $@

# A changed lock takes the development tools away until the next `make test`: then .venv/.dev is gone and made anew.
.venv/.runtime: .venv/.uv requirements.lock requirements-build.lock pyproject.toml
	@echo "Installing the service ..." >&2
	@rm -f .venv/.dev
	@$(call install,$(BIN)/python,requirements.lock requirements-build.lock)
	@$(editable)
	@touch $@

.venv/.dev: .venv/.uv requirements-dev.lock requirements-build.lock pyproject.toml
	@echo "Installing the service and the development tools ..." >&2
	@$(call install,$(BIN)/python,requirements-dev.lock requirements-build.lock)
	@$(editable)
	@touch .venv/.runtime $@

.venv-sdk-1.0/.ready: .venv/.uv requirements-sdk-1.0.lock
	@echo "Installing the oldest official Python client ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-sdk-1.0 >&2
	@$(call install,.venv-sdk-1.0/bin/python,requirements-sdk-1.0.lock)
	@touch $@

.venv-sdk-chat-%/.ready: .venv/.uv requirements-sdk-chat-%.lock
	@echo "Installing the official Python chat client $*.0 ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-sdk-chat-$* >&2
	@$(call install,.venv-sdk-chat-$*/bin/python,requirements-sdk-chat-$*.lock)
	@touch $@

.venv-bench/.ready: .venv/.uv requirements-bench.lock
	@echo "Installing what the benchmarks compare with ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench >&2
	@$(call install,.venv-bench/bin/python,requirements-bench.lock)
	@touch $@

# Without Node.js, or without a way to its registry, the tests that need it say so themselves.
sdk-js:
	@$(call npm_ci,$(JS),the official JavaScript client,the JavaScript client stays untested)

browser-js:
	@$(call npm_ci,$(BROWSER),the official chat clients for browsers,they stay untested)
	@$(call npm_ci,$(UI),the official UI library,it stays untested)
	@$(MAKE) --silent $(CHAT)/built/page.js || echo "The example of a chat stays untested." >&2

# The official chat client and the page of the example, in one file that browsers read.
$(CHAT)/built/page.js: $(CHAT)/page.js $(CHAT)/conversation.js $(CHAT)/package-lock.json
	@$(call npm_ci,$(CHAT),the official chat client for browsers,the page cannot be made)
	@test -f $(CHAT)/node_modules/.ready || { echo "Install Node.js 20 or newer with npm, then run 'make example-chat' again." >&2; exit 1; }
	@cd $(CHAT) && node_modules/.bin/esbuild page.js --bundle --minify --format=esm --log-level=warning --outfile=built/page.js >&2

# A peer that cannot be had is named in the report, and left out.
bench-peers:
	@$(MAKE) --silent .venv-bench/.ready || echo "The peers in Python are left out of the benchmarks." >&2
	@$(call npm_ci,$(OIDC),oidc-provider,it is left out of the benchmarks)

# npm_ci(folder, what, what follows if it cannot be had)
define npm_ci
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then \
		echo "Node.js is not there: $(3)." >&2; \
	elif [ ! $(1)/node_modules/.ready -nt $(1)/package-lock.json ]; then \
		echo "Installing $(2) ..." >&2; \
		(cd $(1) && npm ci --ignore-scripts --no-audit --no-fund >&2 && touch node_modules/.ready) || \
			echo "npm could not install: $(3)." >&2; \
	fi
endef
