# Two commands for everybody: `make demo` and `make test`. Everything they need comes from crates.io and npm.
.DELETE_ON_ERROR:
SHELL := /bin/bash
CARGO ?= cargo
# cargo's own places, so that every target and every user of the folder shares one build.
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET_DIR)/release/zkml-evm

.PHONY: help build demo test test-full test-rust test-forge lint fmt bench clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

build: node_modules/.package-lock.json ## Build the release binary.
	$(CARGO) build --release --locked

demo: build ## From an ONNX credit model to a settled loan on the embedded chain. DEMO_ARGS="--chain anvil" for anvil.
	$(BIN) demo $(DEMO_ARGS)

test: lint test-forge test-rust ## Everything that CI runs.

lint: node_modules/.package-lock.json ## Formatters and linters, warnings denied.
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	npm run --silent fmt:check
	npm run --silent lint

test-forge: node_modules/.package-lock.json ## forge and node tests.
	npm run --silent test:tools
	npm run --silent build
	npm run --silent test:forge

test-rust: node_modules/.package-lock.json ## cargo tests, real proofs and chains included; needs the contracts' artifacts.
	npm run --silent build
	$(CARGO) test --release --locked

test-full: test ## What takes longer: every compiler and setting, every byte of a proof.
	$(CARGO) test --release --locked -- --ignored

# EZKL lives in a Python environment of its own.
.venv-bench/.done: bench/requirements.txt
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install --quiet -r bench/requirements.txt
	@touch $@

bench: .venv-bench/.done node_modules/.package-lock.json ## Ours beside EZKL 23.0.5 on the credit model, in one run; needs Python for EZKL.
	mkdir -p target/bench
	.venv-bench/bin/python bench/ezkl_credit.py --artifacts target/bench/ezkl --out target/bench/ezkl.json
	$(CARGO) bench --locked --bench credit -- --ezkl target/bench/ezkl.json --out target/bench/credit.json

fmt: ## Format everything.
	$(CARGO) fmt
	npm run --silent fmt

clean: ## Remove what the targets made.
	rm -rf target out cache_forge artifacts deployments/31337.json deployments/31337
