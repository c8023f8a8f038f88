# Every target prepares what it needs, from Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check

LAB = $(VENV)/lab $(if $(TORCH),$(VENV)/torch)

.PHONY: demo test test-all lint bench docs core pins clean

demo: $(VENV)/lab
	$(BIN)/python demo/run.py

test: $(LAB)
	$(BIN)/python -m pytest -m "not slow" -n auto

test-all: $(LAB)
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests bench demo docs README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md

docs: $(VENV)/dev
	$(BIN)/python docs/generate.py --check
	$(BIN)/mkdocs build --strict --quiet

# Install what users install, and nothing else, and do the main job with it.
core: demo
	rm -rf $(VENV)-core
	$(PYTHON) -m venv $(VENV)-core
	$(VENV)-core/bin/python -m pip install --quiet .
	$(VENV)-core/bin/hallmarked audit demo-output/leak-or-login/model.safetensors --no-output --allow-unknown

bench: $(LAB) $(VENV)-peers/ready
	$(BIN)/python -m bench.run --peers $(VENV)-peers/bin/python

# Compile the pins: ranges stand in pyproject.toml, hashes here, addresses nowhere.
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11
pins: $(VENV)/dev
	$(PIP) install --quiet uv
	$(COMPILE) pyproject.toml --extra hub --extra cluster --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra hub --extra cluster --extra exchange --group dev --group lab -c requirements/dev.txt -o requirements/lab.txt
	$(COMPILE) --group peers -o requirements/peers.txt

clean:
	rm -rf $(VENV) $(VENV)-core $(VENV)-peers build dist site

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# What builds, tests, lints and documents.
$(VENV)/dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

# The ecosystem's own libraries, which write the files that tests, demo and benchmarks read. PyTorch comes in builds of
# very different size for one version, so it is left to you: make test TORCH=torch==2.13.0
$(VENV)/lab: requirements/lab.txt $(VENV)/dev
	$(PIP) install --quiet --require-hashes -r requirements/lab.txt
	touch $@

$(VENV)/torch: $(VENV)/lab
	$(PIP) install --quiet $(TORCH)
	touch $@

$(VENV)-peers/ready: requirements/peers.txt
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --require-hashes -r requirements/peers.txt
	touch $@
