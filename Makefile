# Two commands do everything:  make demo  and  make test.
#
# torch is installed first and alone. Without TORCH_INDEX pip takes its default build, which on Linux brings
# several gigabytes of CUDA. To choose, give the index address that PyTorch's "Get started" page shows:
#   CPU only:    make demo TORCH_INDEX=<its address ending in /whl/cpu>
#   NVIDIA GPU:  make demo TORCH_INDEX=<its address ending in /whl/cu130, or your CUDA version>
# EXTRAS are those of pyproject.toml; tests of Ray and of FAISS run with
#   make test EXTRAS=dev,approximate,ray

PYTHON ?= python3
TORCH_INDEX ?=
EXTRAS ?= dev
VENV := .venv
READY := $(VENV)/.ready-$(EXTRAS)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Containers often set it; every stage is a process of its own, and each would compile all code again.
unexport PYTHONDONTWRITEBYTECODE
BENCHMARKS := $(filter-out __init__ generated_dump generated_features generated_release measure parity rehearsal,$(basename $(notdir $(wildcard benchmarks/*.py))))

.PHONY: demo test lint audit sbom bench check setup clean

demo: setup  ## set up, run the pipeline on the embedded sample, show what came out
	dvc repro
	@python -m pipeline.show

test: setup  ## the test suite; what needs minutes, a GPU or the network is run by hand: pytest -m slow
	@# One worker more than cores, as some tests wait for servers and processes.
	python -m pytest -n "$$(python -c 'import os; print(min(4, os.cpu_count() + 1))')" \
		--dist loadfile --no-loadscope-reorder

lint: setup
	ruff check .
	ruff format --check .
	mypy

audit: setup  ## known weaknesses: bandit over our code, pip-audit over what is installed (EXTRAS=dev,audit)
	python -m tools.audit

sbom: setup  ## what an installation holds, as CycloneDX, for a release (EXTRAS=audit and those released)
	cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --mc-type library \
		--output-format JSON --output-file sbom.cdx.json $(VENV)/bin/python

bench: setup  ## speed and memory, ours against the plain way; MMOE_REAL_DATA adds real text
	@for name in $(BENCHMARKS); do python -m benchmarks.$$name || exit 1; done

check: setup  ## validate params.yaml, and look for what it names
	@mmoe params check

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mmoe needs Python 3.11 or newer; try  make demo PYTHON=python3.12"; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): a few minutes, some gigabytes with CUDA"
	@# What pip says is shown only if it fails.
	@{ python -m pip install $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) \
		"$$(grep '^torch==' constraints.txt)" && \
		python -m pip install --constraint constraints.txt --editable '.[$(EXTRAS)]'; } \
		>$(VENV)/pip.log 2>&1 || { cat $(VENV)/pip.log; exit 1; }
	@touch $@

clean:  ## remove the environment and unfinished work, keep data, features and reports
	rm -rf $(VENV) .mmoe
