# One entry to everything. `make help` lists the targets; each sets up what it needs from a bare Python 3.11 or newer.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PY     := $(BIN)/python
STAMP  := $(VENV)/.edca-installed

# Extra arguments for pytest, e.g. `make test ARGS="-k canonical -x"`.
ARGS   ?=

# How much the campaigns try, e.g. `make campaign-mutants COUNT=1000 SEED=7`.
COUNT    ?= 100000
QUESTIONS ?= 1000000
MESSAGES ?= 1000000
EXAMPLES ?= 5000
CUTS     ?= 1000000
KILLS    ?= 200
SEED     ?= 1
RECORDS  ?= 100000
JOBS     ?= 2

.DEFAULT_GOAL := help
# Every target is a name, not a file.
.PHONY: $(shell awk -F: '/^[a-z-]+:/ { print $$1 }' $(firstword $(MAKEFILE_LIST)))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create the environment with EDCA and its development tools

# The stamp is newer than pyproject.toml as long as what is installed is what pyproject.toml asks for.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("EDCA needs Python 3.11 or newer; name one with `make PYTHON=...`" \
		if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade "pip>=25.1"
	$(PY) -m pip install --quiet --editable . --group dev
	@touch $(STAMP)

demo: $(STAMP) ## run the refund machine from an empty ledger to a verified one
	$(PY) specs/refund/demo.py

test: $(STAMP) ## run the tests
	$(PY) -m pytest -n auto $(ARGS)

check: $(STAMP) ## formatting, lint, layers, types, and the wheel
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(MAKE) --no-print-directory wheel-check

format: $(STAMP) ## format the code and repair what the linter can repair
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

wheel-check: $(STAMP) ## build the wheel, look inside, and run it without development tools
	$(PY) tests/tidy/check_wheel.py

campaign-mutants: $(STAMP) ## damage specs 100,000 times; COUNT, SEED and JOBS change that
	$(PY) tests/campaigns/mutants.py --count $(COUNT) --seed $(SEED) --jobs $(JOBS)

campaign-engines: $(STAMP) ## put 1,000,000 questions to both engines; QUESTIONS, SEED and JOBS change that
	$(PY) tests/campaigns/engines.py --count $(QUESTIONS) --seed $(SEED) --jobs $(JOBS)

campaign-kernel: $(STAMP) ## break the kernel's source in some 90 ways; each must be noticed
	$(PY) tests/campaigns/kernel_mutants.py --jobs $(JOBS)

campaign-hidden: $(STAMP) ## look for internal words in what 100,000 candidates make a model see (about 20 minutes)
	$(PY) tests/campaigns/hidden.py --count $(COUNT) --seed $(SEED)

campaign-hostile: $(STAMP) ## send 1,000,000 hostile messages (about 50 minutes); MESSAGES and SEED change that
	$(PY) tests/campaigns/hostile/hostile.py --count $(MESSAGES) --seed $(SEED)

campaign-candidates: $(STAMP) ## send 100,000 answers of providers, whole and damaged, through their readers; COUNT, SEED and JOBS change that
	$(PY) tests/campaigns/candidates.py --count $(COUNT) --seed $(SEED) --jobs $(JOBS)

campaign-faults: $(STAMP) ## let every call inside the loop fail once, some 15,000 runs (about 10 minutes)
	EDCA_FAULTS_EVERY=1 $(PY) -m pytest tests/faults/test_law_3_no_record_no_act.py -q -s --timeout 0

campaign-postgres: $(STAMP) ## kill the server of a ledger 200 times under load, and cut its nodes' connections as often; KILLS and SEED change that
	$(PY) tests/campaigns/postgres.py --count $(KILLS) --seed $(SEED)

campaign-powercuts: $(STAMP) ## cut the power under the ledger 1,000,000 times (about an hour); CUTS, SEED and JOBS change that
	$(PY) tests/campaigns/powercut/campaign.py --count $(CUTS) --seed $(SEED) --jobs $(JOBS)

campaign-bytes: $(STAMP) ## alter every byte of a ledger of 1,000 records and of its proofs (about 15 minutes); SEED and JOBS change that
	$(PY) tests/campaigns/alterations/byte_campaign.py --seed $(SEED) --jobs $(JOBS)

campaign-disk-faults: $(STAMP) ## let every call on the ledger's disk fail, fill the disk, kill the writer 200 times (about 10 minutes)
	$(PY) tests/campaigns/powercut/disk_faults.py --seed $(SEED) --jobs $(JOBS)

campaign-specs: $(STAMP) ## try 5,000 specs written by chance; EXAMPLES changes that
	EDCA_EXAMPLES=$(EXAMPLES) $(PY) -m pytest tests/property/test_generated_specs.py --numprocesses $(JOBS) --timeout 0

bench-decide: $(STAMP) ## what one decision costs, against a function by hand and other engines
	$(PY) -m pip install --quiet --group bench
	$(PY) benchmarks/decide.py

bench-language: $(STAMP) ## what checking and laying out cost, by a spec's length
	$(PY) benchmarks/language.py

bench-nodes: $(STAMP) ## what one more node adds, on one PostgreSQL server
	$(PY) benchmarks/nodes.py

bench-submit: $(STAMP) ## what the whole durable way of a candidate costs, against a bare loop; RECORDS changes how far it grows
	$(PY) benchmarks/submit.py --records $(RECORDS)

bench-verify: $(STAMP) ## what checking a whole ledger costs, by its length (1,000,000 records take half an hour and 8 GB); RECORDS changes that
	$(PY) benchmarks/verify.py --records $(RECORDS)

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
