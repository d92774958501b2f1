# Everything a newcomer needs: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLUGINS := $(wildcard plugins/*/pyproject.toml)

.PHONY: demo tour test fuzz check lint types layers golden schema bench constraints clean

$(STAMP): pyproject.toml constraints.txt $(PLUGINS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25"
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]" $(foreach it,$(PLUGINS),-e $(dir $(it)))
	touch $@

demo: $(STAMP)  ## set up and run the churn recipe to the end
	$(BIN)/mlops-compile recipe=churn

tour: $(STAMP)  ## set up and take a release through its life: served, watched, drifted, retrained, canaried, rolled back
	$(BIN)/python -m tests.tour

test: $(STAMP)  ## set up and run all tests
	$(BIN)/python .ci/suite.py

fuzz: $(STAMP)  ## try examples that the suite does not: other ones each time
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/diagnostics/test_mutations.py tests/frontend tests/tables tests/passes tests/search tests/models tests/evaluation

check: lint types layers test  ## everything that must be green before a commit

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

golden: $(STAMP)  ## write the golden files anew; read the difference before you commit it
	$(BIN)/python -m pytest tests/golden --write-golden

schema: $(STAMP)  ## write the JSON Schema of recipes anew
	$(BIN)/mlops-compile schema --out recipes/recipe.schema.json

bench: $(STAMP)  ## run the benchmarks; prints ratios taken side by side
	$(BIN)/python -m benchmarks

constraints: $(STAMP)  ## pin what is installed now
	{ echo "# Every dependency, pinned: what \`make\` installs. Made with \`make constraints\`."; \
	  $(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
