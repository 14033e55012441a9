# `make demo` and `make test` are all a newcomer needs; each sets up what it needs in .venv first.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup test demo lint format types features faults soak score bench build deploy-local slow clean locks audit openapi

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || { python=$$(scripts/find-python) && echo "Setting up .venv with $$python" && "$$python" -m venv $(VENV); }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation -e .
	@touch $@

# SAM and MiniStack pin what they need tightly, so each has an environment of its own.
.venv-%/.installed: requirements/%.txt
	@test -x .venv-$*/bin/python || { python=$$(scripts/find-python) && echo "Setting up .venv-$*" && "$$python" -m venv .venv-$*; }
	@.venv-$*/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements/$*.txt
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

# Features without a passing test, from the results of the last runs.
features: $(STAMP)
	@$(BIN)/python -m scripts.features

# Real servers, long runs, and what was built.
slow: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m slow tests/unit tests/functional tests/e2e tests/build

# The path once for each point at which something can fail.
faults: $(STAMP)
	$(BIN)/python -m pytest -q -s tests/faults

# Seven processes killed at random while real servers bring mail; SOAK="--mails 10000 --seconds 7200" runs longer.
soak: $(STAMP)
	@$(BIN)/python -m tests.soak $(SOAK)

# How well mail is understood, over ../shared/corpora.
score: $(STAMP)
	@for file in $$(grep -l __main__ tests/support/score_*.py); do \
	  name=$$(basename "$$file" .py); echo "== $$name"; $(BIN)/python -m "tests.support.$$name" || exit 1; \
	done

# Each against a peer in one run; BENCH="--smoke" or BENCH="parse many_mailboxes" runs less.
bench: $(STAMP)
	@$(BIN)/python -m bench $(BENCH)

# sam validate, sam build, every handler imported from its artefact, sizes.
build: $(STAMP) .venv-sam/.installed
	@scripts/build
	@touch .aws-sam/.built

.aws-sam/.built: template.yaml $(wildcard layers/*/requirements.txt) $(shell find layers/core functions -name '*.py' -o -name '*.csv') | $(STAMP) .venv-sam/.installed
	@scripts/build
	@touch $@

# The built stack on MiniStack, and a mail that is found there after the schedule fired by itself.
deploy-local: .aws-sam/.built .venv-ministack/.installed
	@$(BIN)/python -m scripts.deploy_local

# Known holes in what is locked, and a bill of materials (CycloneDX) in .sbom/.
audit: $(STAMP) .venv-audit/.installed
	@scripts/audit

# docs/openapi.json, made of the API's models; a test fails when it is stale.
openapi: $(STAMP)
	@scripts/openapi

locks: $(STAMP)
	scripts/lock-requirements

clean:
	rm -rf .venv* .aws-sam .sbom .pytest_cache .mypy_cache .ruff_cache
