# `make demo` and `make test` are all a new user needs: Python 3.11+, make, git and a package index.
PYTHON ?= python3
EXTRAS ?= demo,test,lint
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-torch test lint stale images fuzz mutants soak bench clean

$(VENV)/.ready-$(EXTRAS): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cvat-nuclio needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch '$@'

demo: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python -m tools.demo

# The functions that need weights, over small random ones: they find nothing sensible. Installs PyTorch, gigabytes.
demo-torch: EXTRAS := demo,models
demo-torch:
	$(MAKE) $(VENV)/.ready-$(EXTRAS) EXTRAS=$(EXTRAS)
	$(BIN)/python -m tools.demo_torch

test: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python -m pytest

lint: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck deploy.sh .ci/run

# Runs every row of docs/benchmarks.md and writes the page. Takes a quarter of an hour on an idle machine.
bench: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m tools.bench

# Fails when a committed bundle is not what `cvat-nuclio generate` would write today. That loads every function, so it
# needs EXTRAS=models, and is done in a copy where random weights lie. To mend it:
# `python -m tools.random_weights --generate`, or `cvat-nuclio generate FOLDER` where the real weights lie.
stale: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python -m tools.random_weights build/random-weights >/dev/null
	TORCH_HOME=$(CURDIR)/build/random-weights/torch HF_HOME=$(CURDIR)/build/random-weights/huggingface HF_HUB_OFFLINE=1 \
	  $(BIN)/cvat-nuclio generate --check build/random-weights/serverless/*/*/

# Builds the bundles' images with the Docker daemon that DOCKER_HOST names, and runs each bundle's test inside.
images: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python -m tools.images $(IMAGES)

# A million hostile requests over the four kinds, in process, half an hour on two cores; exit 1 on any finding.
fuzz: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python tools/fuzz.py --cases 1000000

# Small changes to the runtime, one after the other, and which of them no test notices; docs/testing.md. An hour on two
# idle cores. Tensors need PyTorch, gigabytes.
mutants: EXTRAS := demo,test,torch,mutation
mutants:
	$(MAKE) $(VENV)/.ready-$(EXTRAS) EXTRAS=$(EXTRAS)
	$(BIN)/python -m tools.mutants

# An hour of mixed requests to a served bundle of each kind; exit 1 unless the workers' memory is flat.
soak: $(VENV)/.ready-$(EXTRAS)
	$(BIN)/python tools/soak.py --minutes 60

clean:
	rm -rf build dist $(VENV)
