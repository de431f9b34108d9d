# Two commands for everybody: `make demo` and `make test`. Everything they need comes from crates.io and npm.
.DELETE_ON_ERROR:
SHELL := /bin/bash
CARGO ?= cargo
# cargo's own places, so that every target and every user of the folder shares one build.
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET_DIR)/release/zkml-evm

.PHONY: help build demo test test-full test-rust test-forge test-aggregation coverage slither slither-verifier halmos FORCE lint fmt bench bench-scaling bench-aggregation fuzz clean

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

coverage: node_modules/.package-lock.json ## Lines and branches of the hand-written contracts; fails below 98 %. Two minutes.
	npm run --silent coverage

# slither and halmos build for themselves, in copies of the tree.
ANALYSIS := cache_forge/analysis

.venv-analysis/.done: tools/analysis-requirements.txt
	python3 -m venv .venv-analysis
	.venv-analysis/bin/pip install --quiet -r tools/analysis-requirements.txt
	@touch $@

$(ANALYSIS)/%: FORCE
	rm -rf $@ && mkdir -p $@/test
	cp -r contracts tools foundry.toml slither.config.json $@
	cp -r test/helpers test/halmos $@/test
	ln -s $(CURDIR)/node_modules $@/node_modules

FORCE:

# Four detectors are left out by slither.config.json: every time here is a matter of hours at least, assembly and
# low-level calls are few and explained, names of constants are those of this project.
slither: .venv-analysis/.done node_modules/.package-lock.json $(ANALYSIS)/slither ## Static analysis of the contracts; needs Python. One minute.
	rm -rf $(ANALYSIS)/slither/test
	cd $(ANALYSIS)/slither && PATH="$(CURDIR)/.venv-analysis/bin:$(CURDIR)/node_modules/.bin:$$PATH" slither .

CREDIT := examples/credit/credit_mlp.onnx --calibration examples/credit/calibration.json --schema examples/credit/credit_schema.json
GENERATED := $(ANALYSIS)/slither-verifier

# Only medium and above count here: that words of memory have names which nothing uses, and that numbers have many digits, is how these contracts are.
slither-verifier: .venv-analysis/.done build ## Static analysis of generated verifiers: the credit model's, in one contract and in two.
	rm -rf $(GENERATED) && mkdir -p $(GENERATED)/contracts/one $(GENERATED)/contracts/two
	$(BIN) gen-verifier $(CREDIT) --out $(GENERATED)/one
	$(BIN) gen-verifier $(CREDIT) --objective gas --split-key --out $(GENERATED)/two
	for made in one two; do cp $(GENERATED)/$$made/*.sol $(GENERATED)/contracts/$$made; done
	cp -r tools foundry.toml slither.config.json $(GENERATED)
	ln -s $(CURDIR)/node_modules $(GENERATED)/node_modules
	cd $(GENERATED) && PATH="$(CURDIR)/.venv-analysis/bin:$(CURDIR)/node_modules/.bin:$$PATH" slither . --fail-medium

halmos: .venv-analysis/.done node_modules/.package-lock.json $(ANALYSIS)/halmos ## Ownership, states and nullifiers by symbolic execution; needs Python. One minute.
	cd $(ANALYSIS)/halmos && PATH="$(CURDIR)/.venv-analysis/bin:$(CURDIR)/node_modules/.bin:$$PATH" halmos

test-rust: node_modules/.package-lock.json ## cargo tests, real proofs and chains included; needs the contracts' artifacts.
	npm run --silent build
	$(CARGO) test --release --locked

test-full: test ## What takes longer: every compiler and setting, every byte of a proof.
	$(CARGO) test --release --locked -- --ignored
	$(CARGO) test --release --locked --lib --features ledger ledger

test-aggregation: node_modules/.package-lock.json ## Aggregates aggregated again, to four loans in one transaction, and private weights: eight minutes of CPU time.
	npm run --silent build
	$(CARGO) test --release --locked --test aggregate -- --ignored tree
	$(CARGO) test --release --locked --test cli_batch -- --ignored tree private_weights

# EZKL lives in a Python environment of its own.
.venv-bench/.done: bench/requirements.txt
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install --quiet -r bench/requirements.txt
	@touch $@

# BENCH_ARGS="--no-peer --only LeNet" for a part of it.
bench: .venv-bench/.done build ## Every bench model beside EZKL 23.0.5 in one run, some ten minutes; needs Python for EZKL.
	mkdir -p target/bench
	.venv-bench/bin/python bench/bench.py --binary $(BIN) --work target/bench --out target/bench/bench.json $(BENCH_ARGS)

bench-scaling: .venv-bench/.done build ## Cost against model size, 1k to 1M weights: target/bench/scaling.csv and .svg.
	.venv-bench/bin/python bench/scaling.py --binary $(BIN) --work target/bench/scaling --out target/bench

bench-aggregation: build ## Cost of aggregates of 1 to 64 proofs, measured up to 8: target/bench/aggregation.csv, .md and .svg. Ten minutes.
	python3 bench/aggregation.py --binary $(BIN) --work target/bench/aggregation --out target/bench $(BENCH_ARGS)

FUZZ_SECONDS := 60
FUZZ_TARGETS := onnx inputs program key recording srs ptau proof documents
# The compiler's wrapper instruments this project alone, on a stable compiler; libFuzzer itself comes with a crate and needs a C++ compiler.
fuzz: ## Fuzz every parser, one after the other. FUZZ_SECONDS=600 for each, FUZZ_TARGETS="onnx key" for some.
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/fuzz/coverage CARGO_INCREMENTAL=0 $(CARGO) build --release --locked --package zkml-evm-fuzz
	set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p target/fuzz/$$target; \
		$(TARGET_DIR)/release/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 \
			-artifact_prefix=target/fuzz/$$target- target/fuzz/$$target fuzz/corpus/$$target test/fixtures/onnx; \
	done

fmt: ## Format everything.
	$(CARGO) fmt
	npm run --silent fmt

clean: ## Remove what the targets made.
	rm -rf target out cache_forge artifacts deployments/31337.json deployments/31337
