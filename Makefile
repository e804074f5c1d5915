# Everything a developer types. The only needs are make, git and Python 3.11 or newer with venv (or pip);
# each target sets up what it uses below this directory.

PYTHON ?= python3
PORT   ?= 4566

VENV  := .venv
BIN   := $(VENV)/bin
PY    := $(BIN)/python
STAMP := $(VENV)/.setup-done
LINK  := .build/collections/ansible_collections/eksops/ipv6

export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/collections
export ANSIBLE_HOME := $(CURDIR)/.build/ansible
export ANSIBLE_REMOTE_TEMP := $(CURDIR)/.build/ansible/tmp
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
# Without bytecode each Ansible task compiles botocore again.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
# A check fails for what was changed, and not for the order of a set: `make explore` varies that.
export PYTHONHASHSEED ?= 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# --- setting up --------------------------------------------------------------------------------------------------

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(STAMP) link ## make .venv and the collection's link tree

# A virtual environment holds its own path: one that was moved is made anew.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): requirements-dev.lock tools/make_venv.sh
	@tools/make_venv.sh "$(PYTHON)" $(VENV) requirements-dev.lock

# The lock is for every Python that we support, so it is resolved from the oldest on.
.PHONY: lock
lock: setup ## take the newest versions of the tools into requirements-dev.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" --output-file requirements-dev.lock requirements-dev.txt

# Ansible and Python find the collection by its place in an ansible_collections tree, wherever the checkout is.
.PHONY: link
link:
	@mkdir -p $(dir $(LINK)) .build/home
	@[ -L $(LINK) ] && [ $(LINK) -ef . ] || { rm -rf $(LINK) && ln -s ../../../.. $(LINK); }

# --- checks ------------------------------------------------------------------------------------------------------

TYPED := $(addprefix $(LINK)/,plugins/module_utils/_core $(wildcard plugins/plugin_utils/*.py plugins/action/*.py plugins/callback/*.py)) \
         tests/emulator/eksops_emulator $(wildcard tools/*.py)

.PHONY: lint lint-python lint-types lint-yaml lint-ansible lint-docs lint-changelog
lint: lint-python lint-types lint-yaml lint-ansible lint-docs lint-changelog ## ruff, mypy, yamllint, ansible-lint, the docs, the changelog

lint-python: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: setup
	$(BIN)/mypy $(TYPED)

lint-yaml: setup
	$(BIN)/yamllint --strict .

lint-ansible: setup
	$(BIN)/ansible-lint

# antsibull's tools write a log into the home directory.
lint-docs lint-changelog docs: export HOME := $(CURDIR)/.build/home
lint-docs: setup
	@# It copies the collections that ours builds on by asking git, which ignores .venv: so git is kept from looking up.
	GIT_CEILING_DIRECTORIES="$(CURDIR)" $(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs dependent .

lint-changelog: setup
	$(BIN)/antsibull-changelog lint

.PHONY: format
format: setup ## let ruff put the Python files in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: unit
unit: setup ## the pure parts, without AWS
	$(BIN)/pytest tests/unit

.PHONY: test-emulator
test-emulator: setup ## what the emulator does beside what AWS does
	$(BIN)/pytest -m "not slow" tests/emulator/tests

.PHONY: test-modules
test-modules: setup ## every module against the emulator, and the doors to it
	$(BIN)/pytest -m "not slow" tests/system

FREE_PORT := $(PY) -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
# The scenario `default` starts and stops the emulator around the others.
MOLECULE := EKSOPS_EMULATOR_PORT=$${EKSOPS_EMULATOR_PORT:-$$($(FREE_PORT))} $(BIN)/molecule test --report

.PHONY: molecule molecule-all
molecule: setup ## the site playbook, as users run it, against the emulator
	@rm -rf .build/ansible/tmp/molecule.*  # what an interrupted run believes to have created
	$(MOLECULE) --scenario-name default --scenario-name site

molecule-all: setup ## every scenario: the roles and playbooks, as users run them (slower)
	@rm -rf .build/ansible/tmp/molecule.*
	$(MOLECULE) --all

.PHONY: sanity
sanity: setup ## ansible-test sanity, all of it
	$(PY) tools/sanity.py

.PHONY: test
test: lint unit test-emulator test-modules molecule sanity ## all of the above

.PHONY: test-slow
test-slow: setup ## what takes minutes: both doors, stops after every write, random networks, CNI versions
	$(BIN)/pytest -m slow tests

.PHONY: explore
explore: setup ## the tests with examples, ids and orders that no run before has seen (much slower)
	PYTHONHASHSEED=random $(BIN)/pytest --hypothesis-profile=explore tests/unit tests/system/test_existing_networks_property.py
	PYTHONHASHSEED=random EKSOPS_SEED=$${EKSOPS_SEED:-$$(date +%s)} $(BIN)/pytest tests

.PHONY: test-kubernetes
test-kubernetes: setup ## the Kubernetes side against a kube-apiserver built from source (slower)
	$(PY) tools/test_kubernetes.py

# --- to look at --------------------------------------------------------------------------------------------------

.PHONY: emulator
emulator: setup ## AWS and Kubernetes on 127.0.0.1, in the foreground: make emulator PORT=4566
	@PYTHONPATH=tests/emulator $(PY) -m eksops_emulator --port $(PORT)

.PHONY: demo
demo: setup ## a cluster planned, applied, and applied again without a change
	@$(PY) tools/demo.py

.PHONY: bench
bench: setup ## how long an unchanged network takes, beside amazon.aws and plain boto3
	@$(PY) tools/bench.py

.PHONY: docs
docs: setup ## the modules' and roles' pages as HTML, in build/docs
	$(PY) tools/docs.py

.PHONY: build
build: setup ## the tarball that ansible-galaxy installs, in build/
	@mkdir -p build
	$(BIN)/ansible-galaxy collection build --force --output-path build .

.PHONY: clean
clean: ## take away everything that make made
	rm -rf $(VENV) .build build .ansible .hypothesis tests/output
	find . -name __pycache__ -prune -exec rm -rf {} +
