# Development tasks. Each is safe to repeat, and takes only seconds the second time.

PYTHON ?= python3.11 python3.12 python3.13 python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help install app classroom quick test thorough faults check audit bench load visits picture strings clean venv tools extra

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s%s\n", $$1, $$2 }' Makefile

install: tools extra ## create .venv with everything, including the tools for tests

app: venv ## open the explorer in a browser
	@$(VENV)/bin/vae app

classroom: venv ## serve the explorer to a class on the local network
	@$(VENV)/bin/vae classroom

quick: tools ## run the quick tests, without a browser, in about a minute on two cores
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile -m "not slow" --ignore tests/browser

test: tools extra ## run all tests, including those in a real browser
	@CHROMIUM="$$($(RUN) tests/browser/chromium.py)"; export CHROMIUM; OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadfile

thorough: tools ## try every shipped model with every odd image on every page and in every estimator, in an hour or two
	@OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --timeout 0 --thorough tests/app/test_odd_images.py tests/evidence/test_bad_images.py

faults: tools ## kill the server 100 times, damage 20,000 files and try every kind of wrong link, in half an hour or more
	@CHROMIUM="$$($(RUN) tests/browser/chromium.py)"; export CHROMIUM; \
		OMP_NUM_THREADS=1 $(RUN) -m pytest -rP --timeout 0 --thorough tests/faults

check: tools ## check lint, formatting, types and imports, and list known vulnerabilities of pinned packages
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@$(RUN) -m mypy
	@$(RUN) -m pytest --quiet tests/test_architecture.py tests/test_javascript.py
	@$(javascript)
	-@$(RUN) -m tests.audit

audit: tools ## ask osv.dev for known vulnerabilities of requirements.lock; prints one line if it cannot be reached
	@$(RUN) -m tests.audit

bench: tools ## time training, the estimators of log p(x), the command line, and the app during a training, in an hour or two
	@$(RUN) -m benchmarks.training
	@$(RUN) -m benchmarks.evidence --all
	@$(RUN) -m benchmarks.shell
	@CHROMIUM="$$($(RUN) tests/browser/chromium.py)" && export CHROMIUM && $(RUN) -m benchmarks.beside && \
		$(RUN) -m benchmarks.click

load: tools ## simulate forty sessions for ten minutes, and time first visits
	@$(RUN) -m benchmarks.load first
	@CHROMIUM="$$($(RUN) tests/browser/chromium.py)"; export CHROMIUM; $(RUN) -m benchmarks.load many

visits: tools ## recompute what the pages show at once for the shipped models, in ten minutes
	@OMP_NUM_THREADS=1 $(RUN) -m tests.visits

picture: tools ## record the pictures in the README again
	@CHROMIUM="$$($(RUN) tests/browser/chromium.py)" && export CHROMIUM && $(RUN) -m pytest tests/browser --picture

strings: tools ## update the translations in locale/ from the code, and compile them
	@$(RUN) -m tests.strings

clean: ## remove .venv, node_modules and caches; data and models stay
	@rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .mypy_cache test-results
	@find . -name __pycache__ -prune -exec rm -rf {} +

# A .venv whose Python does not start, or that has no pip, is created again.
venv:
	@$(RUN) -c 'import pip' 2>/dev/null || { \
		for python in $(PYTHON); do \
			"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
			"$$python" -m venv --clear $(VENV) && exit; \
			echo "$$python could not create $(VENV): check that this folder is writable and the disk is not full." >&2; exit 1; \
		done; \
		echo "Python 3.11 or newer with its venv module is missing (tried: $(PYTHON)):" \
			"install python3.11 and python3.11-venv, or name one with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(call pinned,requirements.txt)
	@cmp -s pyproject.toml $(VENV)/pyproject.toml || { $(PIP) --no-deps -e . 2>$(VENV)/pip-errors && \
		cp pyproject.toml $(VENV)/pyproject.toml; } || { $(call failed,vae-explorer); }

tools: venv
	@$(call pinned,requirements-dev.txt)

extra: venv
	@($(call pinned,requirements-extra.txt)) || echo "Continuing without UMAP or ONNX; their tests are skipped." >&2

PIP = $(RUN) -m pip install --disable-pip-version-check --no-input
failed = echo "Could not install $(1) into $(VENV)$$(sed -n 's/^ERROR: /: /p' $(VENV)/pip-errors | tail -n 1)." \
	"Check the network and the disk (7 GB), then repeat." >&2; exit 1

# Install what a file pins. Its copy in .venv is written after pip has finished, so that a changed file or an
# interrupted installation is noticed by the next call.
pinned = cmp -s $(1) $(VENV)/$(1) || { \
	$(PIP) -r $(1) 2>$(VENV)/pip-errors && cp $(1) $(VENV)/$(1); } || { $(call failed,$(1)); }

# Check the JavaScript with the packages that package-lock.json pins, reinstalled when that changes. The app does not
# need them, so if there is no npm, or the packages cannot be installed, a line of output says so.
javascript = if { cmp -s package-lock.json node_modules/package-lock.json || { \
		npm ci --silent && cp package-lock.json node_modules/; }; } >/dev/null 2>&1; then \
	node_modules/.bin/biome check --error-on-warnings && node_modules/.bin/tsc; \
	else echo "JavaScript was not checked: npm is missing, or could not install what package-lock.json pins."; fi
