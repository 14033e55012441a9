# `make demo` and `make test` are all a newcomer needs; each sets up what it needs in .venv first.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup test demo lint format types features clean locks

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || { python=$$(scripts/find-python) && echo "Setting up .venv with $$python" && "$$python" -m venv $(VENV); }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation -e .
	@touch $@

test: $(STAMP)
	$(BIN)/python -m pytest -q -n auto -m "not slow" tests/unit tests/functional tests/architecture

demo: $(STAMP)
	@$(BIN)/postroom demo

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP)
	$(BIN)/mypy

locks: $(STAMP)
	scripts/lock-requirements

clean:
	rm -rf .venv* .aws-sam .pytest_cache .mypy_cache .ruff_cache
