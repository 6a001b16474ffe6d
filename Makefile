# make up: from a bare clone to a running instance, without a question.

VENV   := .venv
PYTHON ?= python3
UV     := $(shell command -v uv)
STAMP  := $(VENV)/.stamp
BIN    := $(VENV)/bin
NPM    := $(shell command -v npm)
PAGES  := growqr/_web/index.html

# The certificates this machine trusts, also behind a company's own authority.
export UV_SYSTEM_CERTS := 1

.PHONY: setup web up down test test-web test-docker test-ui attack soak check format bench wheel dev \
        clean

setup: $(STAMP)

# uv where it is there or can be had, else pip.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("growqr needs Python 3.11 or later; set PYTHON=" if sys.version_info < (3, 11) else 0)'
ifneq ($(UV),)
	uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(BIN)/python -e ".[dev]"
else
	$(PYTHON) -m venv $(VENV)
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[dev]"; \
	 else $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"; fi
endif
	@touch $(STAMP)

# The web interface, when its sources are newer than what was built.
web: $(PAGES)

$(PAGES): web/node_modules/.package-lock.json docs/architecture.html $(shell find web -path web/node_modules -prune -o -type f -print)
	@cd web && npm run build --silent -- --logLevel warn

web/node_modules/.package-lock.json: web/package-lock.json
	@[ -n "$(NPM)" ] || { echo "growqr: the web interface needs npm (Node.js 20.19 or later)" >&2; exit 1; }
	@cd web && npm ci --loglevel=error --no-progress
	@touch $@

# All works without the web interface: where it cannot be built, a line says so.
up: setup
ifneq ($(NPM),)
	@$(MAKE) --no-print-directory web || echo "growqr: the web interface is not built, npm failed (see above); all else works"
else
	@[ -f $(PAGES) ] || echo "growqr: the web interface is not built, there is no npm (Node.js 20.19 or later); all else works"
endif
	$(BIN)/growqr up

down: setup
	$(BIN)/growqr down

# What is quick runs on every core; what needs a whole instance has the machine to itself.
test: setup web
	$(BIN)/pytest -n auto -m "not cluster and not crash and not e2e and not docker and not ui"
	$(BIN)/pytest -m docker
	$(BIN)/pytest -m "(cluster or e2e) and not docker"
	$(BIN)/pytest -m crash
	$(BIN)/pytest -m ui tests/ui

# The build checks the types too.
test-web: web
	cd web && npm run lint && npm test

test-docker: setup
	$(BIN)/pytest -m docker

# The attack list, but for what needs containers: see tests/attack/attacks.py.
attack: setup web
	GROWQR_TEST_EXAMPLES=200 $(BIN)/pytest tests/attack -m "not docker"
	$(BIN)/pytest tests/ui/built/test_model_words.py

# A real browser; what it looked like is in dist/ui.
test-ui: setup web
	$(BIN)/pytest -m ui tests/ui

# A thousand provisions and stops while Host and replicas are killed: nothing may be left behind.
soak: setup
	GROWQR_TEST_SOAK=1000 $(BIN)/pytest -m docker tests/docker/test_soak.py -s

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m benchmarks

wheel: setup
	$(BIN)/hatchling build -t wheel

# The instance in this terminal, with its log; with npm also its pages at :5173, as they are edited.
dev: setup
ifneq ($(NPM),)
	@$(MAKE) --no-print-directory web/node_modules/.package-lock.json
	@(cd web && exec ./node_modules/.bin/vite) & vite=$$!; trap "kill $$vite" EXIT; \
	 $(BIN)/growqr up --foreground
else
	$(BIN)/growqr up --foreground
endif

clean:
	rm -rf $(VENV) growqr/_web web/node_modules dist .pytest_cache .mypy_cache .ruff_cache
