# The one entry for developers: `make` says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: help setup check test slow nojit mutants golden gen docs bench size linux

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(BIN)/toyvmm  ## a virtual environment with everything tests and linters need

$(BIN)/toyvmm: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[dev]'
	@touch $@

check: setup  ## linters, layers, stale generated files: under a minute
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit/test_docs.py tests/unit/asm/test_geninc.py tests/unit/test_hypercalls.py

test: setup  ## the tests that run on every change
	$(BIN)/pytest -n $(JOBS)

slow: setup  ## the tests that take longer
	$(BIN)/pytest -n $(JOBS) -m slow

# A subset: without the compiler the machine is a hundred times slower.
NOJIT := tests/unit/test_model.py tests/unit/test_image.py tests/unit/test_elf.py \
  tests/lockstep/test_effects.py tests/lockstep/test_reservations.py tests/lockstep/test_pages.py

nojit: setup  ## the core as plain Python: what coverage and a debugger can see
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest -n $(JOBS) $(NOJIT) -k "not every_flag"

mutants: setup  ## seeded faults: does a test see each?  Over half an hour
	$(BIN)/python -m tests.mutants --jobs $(JOBS)

golden: setup  ## write the guests' golden files anew, to be read in `git diff`
	$(BIN)/python -m tests.guests.regolden

gen: setup  ## write generated files anew
	$(BIN)/python -m asm.geninc
	$(BIN)/python -m toyisa.gendocs
	$(BIN)/python -m vmm.genhyp

docs: setup  ## write the tables in docs/ anew, and check every link
	$(BIN)/python -m toyisa.gendocs
	$(BIN)/pytest -q tests/unit/test_docs.py

bench: setup  ## figures: the interpreter on compiled C, the assembler, hypercalls, compare, unicorn
	$(BIN)/python -m bench.interp
	$(BIN)/python -m bench.vmm
	$(BIN)/python -m bench.pv
	$(BIN)/python -m bench.compare
	$(BIN)/python bench/asm_speed.py
	$(BIN)/python -m bench.lockstep

size:  ## lines of each part, and files over 400 lines
	@for part in toyisa vmm asm guests tests; do \
	  printf '%-8s' $$part; git ls-files $$part | grep -E '\.(py|S|inc)$$' | xargs cat | wc -l; done
	@git ls-files '*.py' '*.S' | xargs wc -l | awk '$$1 > 400 && $$2 != "total"'

linux:  ## a foreign kernel to boot, from Debian's source: docs/howto/linux.md
	JOBS=$(JOBS) guests/linux/build.sh build/linux
