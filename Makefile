# Everything below needs Python 3.10 or newer, make, and a package index. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.PHONY: help demo test lint test-packaged test-hosts benchmark photoshop-plugin package wheel clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 10), "GazeShift needs Python 3.10 or newer"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --editable '.[bridge]'
	touch $@

$(VENV)/.installed-dev: pyproject.toml setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --editable '.[bridge,train,dev]'
	touch $@ $(VENV)/.installed

demo: $(VENV)/.installed  ## edit the example photos and write demo-output/
	$(BIN)/python examples/run_demo.py --output demo-output

test: $(VENV)/.installed-dev  ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: $(VENV)/.installed-dev  ## check style, types and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-packaged: $(VENV)/.installed-dev  ## build the stand-alone core and try it
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/hosts/test_packaged_core.py

test-hosts: $(VENV)/.installed-dev  ## drive real GIMP and Chromium (Debian, as root)
	$(BIN)/python tests/hosts/install_host_tools.py
	$(BIN)/python tests/hosts/build_gimp.py
	PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/hosts --ignore=tests/hosts/test_packaged_core.py

package: $(VENV)/.installed-dev  ## build the stand-alone core into dist/gazeshift
	$(BIN)/python packaging/build_core.py

wheel: $(VENV)/.installed-dev  ## build the wheel into dist/ and try it in a fresh environment
	$(BIN)/python packaging/try_wheel.py

photoshop-plugin:  ## build the Photoshop panel anew after a change of it (needs node 20)
	cd plugins/photoshop_uxp_bridge && npm ci --no-audit --no-fund && npm run check && npm test && npm run build
	cp plugins/photoshop_uxp_bridge/dist/gazeshift-photoshop.ccx plugins/photoshop_uxp_bridge/

benchmark: $(VENV)/.installed-dev  ## measure the renderer beside its peers
	$(BIN)/python -m benchmarks --docs docs

clean:  ## remove what the targets above made
	rm -rf $(VENV) build dist demo-output
