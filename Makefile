# kubetune: `make help` is the front page.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
export UV_PYTHON_PREFERENCE ?= only-system
export UV_COMPILE_BYTECODE ?= 1
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -q

.PHONY: help quickstart test test-unit test-rest test-e2e test-torch lint format generate generate-torch verify bench env env-torch clean \
	cluster-tools binaries cluster-up cluster-down cluster-status

help: ## shows this page
	@echo "kubetune: one manifest tunes a model, here or on Kubernetes"
	@echo
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

quickstart: $(UV) ## tunes a digits classifier on this machine, start to end, within minutes
	@$(UV) sync --quiet --inexact --no-default-groups --group quickstart
	@.venv/bin/kubetune run examples/01-digits/study.yaml -o runs/digits
	@echo
	@echo "Try next:"
	@echo "  .venv/bin/kubetune-trainer digits --config runs/digits/best_config.yaml   retrain with the best, test on held-back images"
	@echo "  .venv/bin/kubetune run examples/01-digits/study.yaml -o runs/digits --trials 24   go on with more trials"
	@echo "  .venv/bin/kubetune trials runs/digits        every trial; with --format json for programs"
	@echo "  .venv/bin/kubetune sample examples/01-digits/study.yaml -n 20   draws, and what constraints turned down"
	@echo "  less runs/digits/REPORT.md                   the written result"

test: lint verify test-unit test-rest test-e2e test-torch ## everything that must hold before a change lands

test-unit: env ## the unit suite and the property tests
	$(PYTEST) -n 2 tests/unit tests/properties

test-rest: cluster-tools ## contract and integration tests: real processes, databases, API servers
	$(PYTEST) -n 2 --dist loadfile tests/contract tests/integration

test-e2e: cluster-tools env-torch ## studies on a real node: kubelet, containers, Prometheus
	$(PYTEST) -n 2 --dist loadfile tests/e2e

test-torch: env-torch ## the recipes and the Gaussian process sampler, in an environment with torch
	MYPYPATH=operator/src:trainer-image/src .venv-torch/bin/mypy trainer-image/src/kubetune_trainer
	OMP_NUM_THREADS=1 .venv-torch/bin/python -m pytest -q -n 2 --dist loadfile tests/gp tests/torch

lint: env ## ruff, mypy strict, import rings
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	MYPYPATH=.:operator/src:trainer-image/src .venv/bin/mypy --explicit-package-bases tests/cluster
	.venv/bin/lint-imports

format: env ## formats the code
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

generate: env ## writes what is generated: the CRD and the references
	$(PY) -m kubetune.api.crd crds charts/kubetune/files
	$(PY) -m kubetune.api.reference docs/reference/study.md
	$(PY) -m kubetune.adapters.prometheus.reference docs/reference/metrics.md

generate-torch: env-torch ## writes what is generated from the recipes
	.venv-torch/bin/python -m kubetune_trainer.reference docs/reference/recipes.md

verify: generate ## regenerates and fails when something generated was not committed
	git diff --exit-code -- crds charts docs/reference

bench: env env-torch ## every performance figure, as a ratio against a peer or a floor in the same run
	$(PY) -m bench
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 .venv-torch/bin/python -m bench quality --sampler GP
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 .venv-torch/bin/python -m bench trial-time throughput

cluster-tools: env ## installs and builds what the tests' Kubernetes needs: 8 minutes once
	$(PY) -m tests.cluster tools

binaries: env ## finds Kubernetes' programs, or builds them into the cache
	$(PY) -m tests.cluster binaries

cluster-up: env ## starts a Kubernetes here; NODE=1 PROMETHEUS=1 KWOK=3 add to it
	@$(PY) -m tests.cluster up $(if $(NODE),--node) $(if $(PROMETHEUS),--prometheus) $(if $(KWOK),--kwok $(KWOK))

cluster-down: env ## ends that Kubernetes and leaves nothing of it
	@$(PY) -m tests.cluster down

cluster-status: env ## shows its programs, ports and health
	@$(PY) -m tests.cluster status

env: $(UV)
	@$(UV) sync --quiet

env-torch: $(UV)
	@UV_PROJECT_ENVIRONMENT=.venv-torch $(UV) sync --quiet --group torch

clean: ## removes environments and caches, never runs
	rm -rf .venv .venv-torch .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis

.tools/bin/uv:
	@echo "uv is missing: installing it into .tools with pip"
	@python3 -m venv .tools && .tools/bin/python -m pip install --quiet uv
