# `make` says what can be made. It needs Rust, Python 3.10 or newer with venv, and nothing installed by hand.

PYTHON ?= python3
DEMO ?= root-missing-mask-8
FEATURES ?= simulate
CHROMIUM ?= chromium
# A Rust toolchain that can build its own standard library for Windows, a linker and an assembler, and wine.
WINDOWS_PACKAGES := rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 nasm wine wine64
VENV := .venv
BIN := $(VENV)/bin
# Nearly as fast to run as a release, much faster to build.
PROFILE := quick
export PYO3_PYTHON := $(abspath $(BIN)/python)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Whatever is installed is what requirements-dev.txt names.
export PIP_CONSTRAINT := $(abspath requirements-dev.txt)

# NIST's suite of certificate paths, where the development requirements have put it.
PKITS := import cryptography_vectors as v, pathlib; print(pathlib.Path(v.__file__).parent / "x509/PKITS_data")

.DEFAULT_GOAL := help
.PHONY: help demo build test test-rust test-python test-browser test-spark test-package test-windows lint lint-rust lint-python bench score \
        docs clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Diagnose bundled logs and write report.html (another case: make demo DEMO=name)
	@echo
	@status=0; $(BIN)/cmgtrail diagnose tests/corpus/$(DEMO)/logs --html report.html 2>/dev/null || status=$$?; \
	if [ $$status -gt 1 ]; then $(BIN)/cmgtrail diagnose tests/corpus/$(DEMO)/logs; exit 1; fi; \
	echo; echo "The same as a page: $(CURDIR)/report.html"

build: $(VENV)/.tools ## Build the package into .venv
	@$(BIN)/maturin develop --quiet --profile $(PROFILE) || { echo "The build failed; Rust 1.95 or newer is needed."; exit 1; }

test: lint test-rust test-python ## Run all checks and tests

test-rust: $(VENV)/.dev ## Run the Rust tests and documentation examples
	CMGTRAIL_PKITS="$$($(BIN)/python -c '$(PKITS)')" cargo test --no-fail-fast --features "$(FEATURES)"

test-python: build $(VENV)/.dev ## Run the Python tests
	$(BIN)/pytest

test-browser: build $(VENV)/.dev ## Open reports in headless Chromium (CHROMIUM=/path/to/chromium)
	@command -v "$(CHROMIUM)" >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
			{ echo "Chromium is needed (on Debian: apt install chromium); or say where it is: make test-browser CHROMIUM=/path"; exit 1; }; \
		echo "Installing the Debian package chromium."; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }
	CHROMIUM="$$(command -v "$(CHROMIUM)")" $(BIN)/pytest -s tests/browser

test-spark: build $(VENV)/.dev ## Read logs and judge tokens in a Spark on this machine
	@command -v java >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
			{ echo "Java 17 or newer is needed (on Debian: apt install default-jre-headless)"; exit 1; }; \
		echo "Installing the Debian package default-jre-headless."; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless; }
	$(BIN)/pip install --quiet -r requirements-spark.txt
	$(BIN)/pytest tests/spark

test-package: $(VENV)/.tools ## Build the source distribution, a wheel from it, and try that in an environment of its own
	rm -rf dist/package && mkdir -p dist/package
	$(BIN)/maturin sdist --out dist/package
	MATURIN_PEP517_ARGS="--profile $(PROFILE)" CARGO_TARGET_DIR="$(abspath target)" \
		$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist/package dist/package/*.tar.gz
	$(PYTHON) -m venv dist/package/venv
	dist/package/venv/bin/pip install --quiet dist/package/*-abi3-*.whl
	cd dist/package && venv/bin/cmgtrail diagnose ../../tests/corpus/$(DEMO)/logs >/dev/null; test $$? -eq 1
	cd dist/package && venv/bin/python -X importtime -c "import cmgtrail" 2>&1 | awk -F'|' '/ cmgtrail$$/ { ms = $$2 / 1000 } \
		END { printf "import cmgtrail takes %.0f ms\n", ms; exit !(ms > 0 && ms < 100) }'

# Not optimised, since these tests are about answers, and the build is what takes long.
test-windows: build $(VENV)/.dev ## Build the wheel for Windows and run it under wine (Debian; else it says that it skips)
	@dpkg --status $(WINDOWS_PACKAGES) >/dev/null 2>&1 || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
			echo "Installing the Debian packages $(WINDOWS_PACKAGES)." && \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends $(WINDOWS_PACKAGES); } || \
		{ echo "Skipped: the wheel for Windows is built with these Debian packages, which are not there and could not" \
			"be installed: $(WINDOWS_PACKAGES)"; exit 0; }; \
	rm -rf target/windows/wheels; \
	PATH="/usr/bin:$$PATH" RUSTC=/usr/bin/rustc CARGO=/usr/bin/cargo RUSTC_BOOTSTRAP=1 \
		CARGO_UNSTABLE_BUILD_STD=std,panic_unwind CARGO_TARGET_DIR=target/windows CARGO_PROFILE_QUICK_OPT_LEVEL=0 \
		$(BIN)/maturin build --quiet --profile quick --target x86_64-pc-windows-gnu --out target/windows/wheels && \
	$(BIN)/pytest tests/windows

lint: lint-rust lint-python ## Check form, lints and types

lint-rust: $(VENV)/bin/python
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --all-features -- -D warnings
	@tree=$$(cargo tree --quiet --edges normal --all-features --prefix none) || exit 1; \
	if echo "$$tree" | grep -E '^(ring|openssl-sys|rsa|p256|ed25519-dalek) '; then \
		echo "A second crypto library is linked: cargo tree --edges normal --all-features --invert <it> says by whom."; exit 1; \
	fi

lint-python: build $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/python -m mypy.stubtest cmgtrail._engine

bench: build $(VENV)/.dev ## Measure, beside a reference in the same run
	cargo bench --features simulate
	$(BIN)/python benches/peers.py

score: ## Score flows, stages, causes and joins on simulated sites, sound and damaged, and causes over the corpus
	cargo bench --profile $(PROFILE) --features simulate --bench score
	cargo bench --profile $(PROFILE) --features simulate --bench joins
	cargo bench --profile $(PROFILE) --features simulate --bench corpus

docs: build $(VENV)/.dev ## Build the documentation into site/, with a page for each failure, and the Rust documentation
	$(BIN)/python docs/json_examples.py
	$(BIN)/python docs/knowledge_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	# The pages of modules name their private parts, for those who read the source.
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --no-deps

clean: ## Remove what was built
	rm -rf $(VENV) report.html dist site docs/reference
	cargo clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed, $(PYTHON) is older; say which: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }

$(VENV)/.tools: requirements-dev.txt | $(BIN)/python
	@$(BIN)/pip install --quiet maturin
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	@$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@
