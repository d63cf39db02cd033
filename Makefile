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
OIDC := benchmarks/peers/oidc-provider
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help quickstart serve dev test test-postgres coverage check bench bench-quick bench-growth bench-peers soak wheel lock sdk-js clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: .venv/.runtime ## Create an identity, issue a token, revoke it and delete the identity.
	@$(BIN)/watchword quickstart $(ARGS)

serve: .venv/.runtime ## Run the service on a data directory.
	@$(BIN)/watchword serve $(ARGS)

dev: .venv/.runtime ## Run a throw-away service with a well-known access key, on loopback only.
	@$(BIN)/watchword dev $(ARGS)

test: .venv/.dev .venv-sdk-1.0/.ready sdk-js bench-peers ## Run every test; a missing tool skips its tests, or fails them with REQUIRE_ALL=1.
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

test-postgres: .venv/.dev .venv-sdk-1.0/.ready sdk-js ## Run on PostgreSQL what `make test` runs on SQLite only.
	@WATCHWORD_TEST_ENGINE=postgres $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

coverage: .venv/.dev .venv-sdk-1.0/.ready sdk-js bench-peers ## Run every test and show the lines that none of them reached.
	@mkdir -p .coverage
	@$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

check: .venv/.dev ## Check format, lint, types, import rules and the repository's own rules.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict src tests benchmarks
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/repository

bench: .venv/.dev bench-peers bench-growth ## Measure everything, beside this machine's limits and the peers: benchmarks/report/.
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/.dev ## The main ratios in under three minutes, with wider intervals; printed only.
	@$(BIN)/python -m benchmarks --quick $(ARGS)

bench-growth: .venv/.dev ## What a request costs with 10 thousand, 1 million and 10 million identities.
	@$(BIN)/python -m benchmarks.growth $(GROWTH_ARGS)

soak: .venv/.dev ## Run the long forms of the tests, and those that take minutes.
	@SOAK_EXAMPLES=100 WATCHWORD_SOAK_ROUNDS=20 $(BIN)/python -m pytest -m "soak or not soak" --capture=no $(ARGS) tests

wheel: .venv/.runtime ## Build dist/watchword-*.whl.
	@$(BIN)/python -m hatchling build --target wheel

lock: .venv/.uv ## Write the lock files anew; ARGS=--upgrade moves to the newest versions.
	@$(COMPILE) --extra server --extra postgres pyproject.toml --output-file requirements.lock >/dev/null
	@$(COMPILE) --extra server --extra postgres --extra otel --group dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock >/dev/null
	@$(COMPILE) --group build --output-file requirements-build.lock >/dev/null
	@$(COMPILE) --group sdk-1-0 --output-file requirements-sdk-1.0.lock >/dev/null
	@$(COMPILE) --group bench --output-file requirements-bench.lock >/dev/null
	@echo "uv==$(UV_VERSION)" | $(COMPILE) - --output-file .venv/requirements-uv.lock >/dev/null
	@cmp -s .venv/requirements-uv.lock requirements-uv.lock || cp .venv/requirements-uv.lock requirements-uv.lock
	@cd $(JS) && npm install --package-lock-only --ignore-scripts >&2
	@cd $(OIDC) && npm install --package-lock-only --ignore-scripts >&2

clean: ## Remove environments, caches and builds.
	@rm -rf .venv .venv-sdk-1.0 .venv-bench $(JS)/node_modules $(OIDC)/node_modules tests/sdk/java/target dist .coverage .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

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

.venv-bench/.ready: .venv/.uv requirements-bench.lock
	@echo "Installing what the benchmarks compare with ..." >&2
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench >&2
	@$(call install,.venv-bench/bin/python,requirements-bench.lock)
	@touch $@

# Without Node.js, or without a way to its registry, the tests that need it say so themselves.
sdk-js:
	@$(call npm_ci,$(JS),the official JavaScript client,the JavaScript client stays untested)

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
