# The one entry for developers: `make` says what there is.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: help setup check test slow nojit coverage mutants golden gen docs bench size linux

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

# What plain Python runs in some minutes, of many layouts one; `compiled` tests are skipped.
# A folder that is gone is one to coverage, too: it cannot write there what it saw.
COVERED := tests/unit tests/bt/test_control.py tests/bt/test_window.py \
  tests/bt/test_csr.py::test_any_access tests/lockstep/test_model.py \
  tests/laws/test_fuzz.py tests/laws/test_shadow_tables.py tests/laws/test_testing.py \
  tests/laws/test_virtual_traps.py tests/conformance
UNCOVERED := scattered or tiny or folder_that_is_gone

coverage: setup  ## lines of toyisa, asm and vmm that tests run, the compiler off: 90 % or more
	$(BIN)/coverage erase
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest --few -q --durations=20 -n $(JOBS) $(COVERED) \
	  -k "not ($(UNCOVERED))"
	$(BIN)/coverage combine -q
	@for part in toyisa asm vmm; do $(BIN)/coverage report --include "$$part/*"; done
	$(BIN)/coverage report --format=total --fail-under=90

mutants: setup  ## seeded faults: does a test see each?  Over half an hour
	$(BIN)/python -m tests.mutants --jobs $(JOBS)

golden: setup  ## write the guests' golden files anew, to be read in `git diff`
	$(BIN)/python -m tests.guests.regolden
	$(BIN)/python -m tests.guests.test_mistakes

gen: setup  ## write generated files anew
	$(BIN)/python -m asm.geninc
	$(BIN)/python -m toyisa.tables.gendocs
	$(BIN)/python -m vmm.abi.genhyp

docs: setup  ## write tables and samples in docs/ anew, and check every link
	$(BIN)/python -m toyisa.tables.gendocs
	$(BIN)/python -m tests.docsamples
	$(BIN)/pytest -q tests/unit/test_docs.py

bench: setup  ## figures: a first run, later ones, the interpreter on compiled C, the assembler, hypercalls, compare, unicorn, snapshots
	$(BIN)/python -m bench.coldstart
	$(BIN)/python -m bench.warmstart
	$(BIN)/python -m bench.interp
	$(BIN)/python -m bench.vmm
	$(BIN)/python -m bench.pv
	$(BIN)/python -m bench.compare
	$(BIN)/python bench/asm_speed.py
	$(BIN)/python -m bench.lockstep
	$(BIN)/python -m bench.snapshots

size:  ## lines of each part, and files over 400 lines
	@for part in toyisa vmm asm guests tests; do \
	  printf '%-8s' $$part; git ls-files $$part | grep -E '\.(py|S|inc)$$' | xargs cat | wc -l; done
	@git ls-files '*.py' '*.S' | xargs wc -l | awk '$$1 > 400 && $$2 != "total"'

linux:  ## a foreign kernel to boot, from Debian's source: docs/howto/linux.md
	JOBS=$(JOBS) guests/linux/build.sh build/linux
