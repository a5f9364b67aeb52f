# sudo make run     install what is missing and start slabtui; ARGS="-s allocs 2" passes options
# sudo make test    the same set-up, the test tools, then lint and every test
# make dist         what can be installed without make, git and the internet
# sudo make install slabtui, slabratetop, manual pages and completions below PREFIX
.PHONY: run demo setup dist install uninstall test test-kernels test-distros lint format docs bench soak clean FORCE
.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -ec
VENV := .venv
PREFIX := /usr/local
DESTDIR :=

run: $(VENV)/.setup
	@exec $(VENV)/bin/slabtui $(ARGS)

# Needs neither bcc nor root.
demo: $(VENV)/.demo
	@exec $(VENV)/bin/slabtui --demo

setup: $(VENV)/.setup
	@echo "setup: done; sudo $(VENV)/bin/slabtui starts it"

# Builds, in dist/: slabtui.pyz, one file for every Python from 3.11; a wheel; an sdist; a Debian package.
dist: $(VENV)/.dist
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then # they check the results
		export DEBIAN_FRONTEND=noninteractive
		add="apt-get install -qq -y --no-install-recommends lintian mandoc"
		{ command -v lintian && command -v mandoc || $$add || { apt-get update -qq && $$add; }; } >/dev/null
	fi
	$(VENV)/bin/python -m tests.tools.packaging dist

dist/slabtui.pyz: $(shell find slabtui docs tests/tools/packaging -type f ! -name '*.pyc') pyproject.toml
	@sh tests/tools/packaging/setup.sh dist
	$(VENV)/bin/python -m tests.tools.packaging dist pyz

# Installs what slabtui.pyz holds, unpacked: so it starts faster, since Python keeps what it has compiled. Where that
# file is there already, any Python will do for it, and no network is needed.
install: dist/slabtui.pyz
	@python=$(VENV)/bin/python
	[ -x $$python ] || python=python3
	$$python -m tests.tools.packaging.install dist/slabtui.pyz "$(DESTDIR)" "$(PREFIX)"

uninstall:
	@cd "$(DESTDIR)$(PREFIX)"
	rm -rf share/slabtui
	rm -f bin/slabtui bin/slabratetop share/man/man8/slabtui.8 share/man/man8/slabratetop.8 \
		share/bash-completion/completions/slabtui share/zsh/site-functions/_slabtui \
		share/fish/vendor_completions.d/slabtui.fish

test: lint
	@$(VENV)/bin/pytest

# Boots Debian's kernels in an emulator and writes docs/kernels.md; ARGS="6.1 7" tests only those and prints the page.
test-kernels: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.tools.kernels $(ARGS)

# Follows the README in minimal root file systems of Debian's releases, installs there what `make dist` builds, and writes
# docs/distributions.md; ARGS="13 sid" tests only those and prints the page.
test-distros: $(VENV)/.test dist
	@exec $(VENV)/bin/python -m tests.tools.distros $(ARGS)

lint: $(VENV)/.test
	@$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(VENV)/.test
	@$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# Writes what is generated from the code: the rooms in docs/architecture.md, the manual page, the README's picture.
docs: $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.rooms
	$(VENV)/bin/python -m tests.tools.manual docs/slabtui.8
	$(VENV)/bin/python -m tests.tools.picture docs/screen.svg

# Writes docs/performance.md, which takes some minutes on a quiet machine; ARGS=--quick only shows that it works.
bench: $(VENV)/.test
	@for tool in bpftrace btop htop; do # they are measured too, where they run
		if ! command -v $$tool >/dev/null && command -v apt-get >/dev/null; then
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$tool >/dev/null || true
		fi
	done
	exec $(VENV)/bin/python -m tests.tools.bench $(ARGS)

# Ten minutes under load and keys at random, 20 minutes with a terminal that is not read, then every fault; writes
# docs/faults.md. ARGS=60 takes one minute and two for it.
soak: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.tools.soak $(ARGS)

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The script itself sees whether there is anything to do: make cannot see that an environment no longer works.
$(VENV)/.demo $(VENV)/.setup $(VENV)/.dist $(VENV)/.test: FORCE
	@sh tests/tools/packaging/setup.sh $(patsubst .%,%,$(@F))
FORCE:
