# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The runtime keeps the kernels of each source apart (runtime/kernels/kernel_cache.py), here so that `clean` finds them.
TEST_ENV := NUMBA_CACHE_DIR=$(CURDIR)/.numba_cache

# files, not tests, are shared out: fixtures of a file are made once
TWO_CORES := -n 2 --dist loadfile

# of train-flight: scenes, configuration, recipe, and the output folder; a stopped run is resumed
SCENES ?= ../shared/scenes
CONFIG ?= model/configs/flight.toml
RECIPE ?= quantize/configs/flight.toml
OUTPUT ?= runs/train_flight

# of hil
BOARD ?= hil_tests/boards/local.toml
HIL_OPTIONS ?=
FLY_OPTIONS ?=

.PHONY: help setup demo train-flight test test-slow soak hil hil-emulated fly emulated-board emulation executors accelerators zarr check bench bench-rate clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .[demo]
	@touch $@

# torch first and by name, so that pip does not weigh other builds of it
$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) torch
	$(PIP) -e .[dev]
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.dev ## make .venv with the linerwkv command, training and test tools in it

demo: $(VENV)/.runtime ## compress and restore a synthetic scene with the shipped package (installs the runtime only)
	$(BIN)/linerwkv demo --output demo_output

train-flight: $(VENV)/.dev ## scenes to an INT8 package, on a GPU where there is one (SCENES, CONFIG, RECIPE, OUTPUT)
	$(BIN)/linerwkv train-flight $(CONFIG) $(RECIPE) --scenes $(SCENES) -o $(OUTPUT)

test: $(VENV)/.dev ## the test suite (minutes)
	$(TEST_ENV) $(BIN)/python -m pytest $(TWO_CORES)

test-slow: $(VENV)/.dev ## emulation, large hostile corpora, kernels without JIT
	$(TEST_ENV) $(BIN)/python -m pytest -m slow $(TWO_CORES)

soak: $(VENV)/.dev ## hostile streams and input of the recorder, then threads, then the recorder; to benchmarks/results/*_soak.json (three hours)
	$(TEST_ENV) $(BIN)/python -m tests.fuzz.soak
	$(TEST_ENV) $(BIN)/python -m tests.fuzz.soak recorder
	$(TEST_ENV) $(BIN)/python -m tests.runtime.codec.thread_soak
	$(TEST_ENV) $(BIN)/python -m tests.runtime.target.recorder_soak

hil: $(VENV)/.dev ## accept the runtime on a target, docs/hil.md (BOARD, HIL_OPTIONS such as --short)
	$(BIN)/linerwkv hil run --board $(BOARD) $(HIL_OPTIONS)

hil-emulated: emulated-board ## the same on a whole emulated aarch64 machine, every fault included (10 to 20 minutes)
	$(BIN)/linerwkv hil run --board hil_tests/boards/emulated_aarch64.toml --short

fly: $(VENV)/.dev ## the recorder through every fault in one flight, docs/fly.md (FLY_OPTIONS such as --short)
	$(TEST_ENV) $(BIN)/linerwkv hil fly $(FLY_OPTIONS)

emulated-board: $(VENV)/.dev ## build the image of that machine, in .emulation/board (0.6 GB; needs apt, no root)
	$(BIN)/python -m hil_tests.emulation.setup board

emulation: $(VENV)/.dev ## emulators of other processors, in .emulation (0.4 GB; needs apt, no root)
	$(BIN)/python -m hil_tests.emulation.setup all

executors: $(VENV)/.dev ## environments of executors beside ONNX Runtime, in .executors (3 GB)
	for name in openvino onnxruntime-openvino qnn vela rtl; do $(BIN)/python -m hil_tests.places.executor_setup $$name || exit 1; done

accelerators: executors ## reports of OpenVINO, Vela, the HTP simulator, the array in Verilog and the probe, to benchmarks/results
	for name in openvino vela htp rtl probe; do $(BIN)/python -m hil_tests.accelerators.command $$name -o benchmarks/results/accelerator_$$name.json || exit 1; done

zarr: $(VENV)/.dev ## the codecs under Zarr 2.18 and Zarr 3, each in an environment of its own in .executors (0.6 GB)
	for name in zarr2 zarr3; do $(BIN)/python -m hil_tests.places.executor_setup $$name || exit 1; \
	  $(TEST_ENV) .executors/$$name/bin/python -m pytest tests/linerwkv/ground/test_zarr_codecs.py \
	    tests/linerwkv/ground/test_zarr_output.py tests/linerwkv/ground/test_archive_index.py || exit 1; done

check: $(VENV)/.dev ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev bench-rate ## every benchmark that needs no checkpoint; results go to benchmarks/results
	for script in $(filter-out benchmarks/bench_checkpoint.py benchmarks/bench_against.py,$(wildcard benchmarks/bench_*.py)); do $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

bench-rate: $(VENV)/.dev ## rate of every codec on every scene: what is missing in benchmarks/results/rate.json, and its pictures (hours)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.rate
	$(BIN)/python -m benchmarks.rate.pictures

clean: ## remove the environment and caches
	rm -rf $(VENV) .numba_cache .pytest_cache .mypy_cache .ruff_cache demo_output hil_output .emulation .executors
