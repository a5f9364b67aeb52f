# sudo make run     install what is missing and start slabtui; ARGS="-s allocs 2" passes options
# sudo make test    the same set-up, the test tools, then lint and every test
.PHONY: run demo setup test test-kernels test-distros lint format docs bench soak clean
.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -ec
VENV := .venv

run: $(VENV)/.setup
	@exec $(VENV)/bin/slabtui $(ARGS)

# The demo needs neither bcc nor root: any Python that is new enough will do until there is a set-up.
demo:
	@[ -x $(VENV)/bin/slabtui ] || {
		python3 -m venv --clear $(VENV)
		$(VENV)/bin/pip install -q --disable-pip-version-check -e .
	}
	exec $(VENV)/bin/slabtui --demo

setup: $(VENV)/.setup

test: lint
	@$(VENV)/bin/pytest

# Boots Debian's kernels in an emulator and writes docs/kernels.md; ARGS="6.1 7" tests only those and prints the page.
test-kernels: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.kernels $(ARGS)

# Follows the README in minimal root file systems of Debian's releases, installs there what `make dist` builds, and writes
# docs/distributions.md; ARGS="13 sid" tests only those and prints the page.
test-distros: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.distros $(ARGS)

lint: $(VENV)/.test
	@$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(VENV)/.test
	@$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# What is made from the program: the manual page and the README's picture.
docs: $(VENV)/.test
	@$(VENV)/bin/python -m tests.manual docs/slabtui.8
	$(VENV)/bin/python -m tests.picture docs/screen.svg

# Writes docs/performance.md, which takes some minutes on a quiet machine; ARGS=--quick only shows that it works.
bench: $(VENV)/.test
	@if ! command -v bpftrace >/dev/null && command -v apt-get >/dev/null; then # it is measured too, where it runs
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends bpftrace >/dev/null || true
	fi
	exec $(VENV)/bin/python -m tests.bench $(ARGS)

# Ten minutes under load and keys at random, then every fault; writes docs/faults.md. ARGS=60 takes a minute for it.
soak: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.soak $(ARGS)

clean:
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# bcc is packaged for the distribution's own interpreter, which need not be the python3 on PATH: look for the one that
# can import it, and let the virtual environment see its packages.
$(VENV)/.setup: pyproject.toml
	@find_python() {
		for python in /usr/bin/python3 /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9]; do
			if "$$python" -c "import $$1" 2>/dev/null; then echo "$$python"; return; fi
		done
	}
	install() { # what apt, dnf, pacman and zypper call it
		[ "$$(id -u)" = 0 ] || { echo "make: packages are missing: run it as root: sudo make setup" >&2; exit 1; }
		if command -v apt-get >/dev/null; then
			export DEBIAN_FRONTEND=noninteractive
			apt-get install -qq -y --no-install-recommends $$1 >/dev/null ||
				{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $$1 >/dev/null; }
		elif command -v dnf >/dev/null; then dnf install -q -y $$2
		elif command -v pacman >/dev/null; then pacman -S --needed --noconfirm $$3
		elif command -v zypper >/dev/null; then zypper -q -n install $$4
		else echo "make: no package manager known here: install bcc for Python by hand" >&2; exit 1
		fi
	}
	[ -n "$$(find_python 'bcc, ensurepip')" ] ||
		install "python3-bpfcc python3-venv" "python3-bcc" "python-bcc" "python3-bcc"
	python=$$(find_python 'bcc, ensurepip')
	[ -n "$$python" ] || { echo "make: no /usr/bin/python3 can import bcc: install it by hand" >&2; exit 1; }
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
		{ echo "make: slabtui needs Python 3.11; $$python, which bcc is packaged for, is older" >&2; exit 1; }
	"$$python" -m venv --clear --system-site-packages $(VENV)
	$(VENV)/bin/pip install -q --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: $(VENV)/.setup
	@$(VENV)/bin/pip install -q --disable-pip-version-check -e '.[test]'
	touch $@
