# What to run, here and in CI. ARGS are passed on: make demo ARGS="--exit", make test ARGS="-k drain".

BIN = .venv/bin
ARGS =
# Three for two processors: tests of real processes wait more than they work.
WORKERS = 3
# Hundreds of processes are started here, and reading our sources anew is a third of what a start costs.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup demo test check docs bench prove lock clean

help:
	@echo 'make demo     see Postroom at work on sample mail; ARGS="--exit", ARGS="--mail PATH"'
	@echo 'make test     run the tests; ARGS are passed to pytest'
	@echo 'make check    format, lint, types, import direction, the example rules'
	@echo 'make docs     write docs/rules.md and docs/rules.schema.json anew'
	@echo 'make bench    measure'
	@echo 'make prove    the proofs at scale, written to docs/proofs.md: hours; ARGS="kills" for one'
	@echo 'make setup    make .venv from requirements.lock (the others do it by themselves)'
	@echo 'make lock     bring requirements*.lock in line with pyproject.toml; ARGS="--upgrade"'
	@echo 'make clean    remove .venv and caches'

setup:
	@scripts/setup

demo: setup
	@$(BIN)/postroom demo $(ARGS)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py
	$(BIN)/postroom check rules/

docs: setup
	$(BIN)/postroom schema > docs/rules.schema.json
	$(BIN)/postroom docs > docs/rules.md

bench: setup
	$(BIN)/python -m bench $(ARGS)

prove: setup
	$(BIN)/python -m prove $(ARGS)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes $(ARGS)

lock: setup
	$(COMPILE) --extra dev --extra embedded --extra otel pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements.lock --extra otel pyproject.toml -o requirements-runtime.lock
	echo hatchling | $(COMPILE) -c requirements.lock - -o requirements-build.lock

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
