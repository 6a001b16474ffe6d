# make up: from a bare clone to a running instance, without a question.

VENV   := .venv
PYTHON ?= python3
UV     := $(shell command -v uv)
STAMP  := $(VENV)/.stamp
BIN    := $(VENV)/bin

.PHONY: setup up down test check format bench wheel dev clean

setup: $(STAMP)

$(STAMP): pyproject.toml
ifneq ($(UV),)
	uv venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(BIN)/python -e ".[dev]"
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
endif
	@touch $(STAMP)

up: setup
	$(BIN)/growqr up

down: setup
	$(BIN)/growqr down

# One process per core for what is quick; what needs a whole instance runs alone.
test: setup
	$(BIN)/pytest -n auto -m "not cluster and not e2e"
	$(BIN)/pytest -m "cluster or e2e"

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

# The instance in this terminal, with its log.
dev: setup
	$(BIN)/growqr up --foreground

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache
