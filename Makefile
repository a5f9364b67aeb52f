# sudo make run     install what is missing and start slabtui; ARGS="-s allocs 2" passes options
# sudo make test    the same set-up, the test tools, then lint and every test
# make dist         build the files for hosts without make, git and the internet
# sudo make install slabtui, slabratetop, manual pages and completions below PREFIX
# sudo make install-service   the same, and a systemd unit of the flight recorder
.PHONY: run demo setup dist install install-service uninstall test test-kernels test-distros lint format docs bench soak clean FORCE
.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -ec
VENV := .venv
PREFIX := /usr/local
DESTDIR :=

run: $(VENV)/.setup
	@exec $(VENV)/bin/slabtui $(ARGS)

# The demo needs neither bcc nor root.
demo: $(VENV)/.demo
	@exec $(VENV)/bin/slabtui --demo

setup: $(VENV)/.setup
	@echo "setup: done; sudo $(VENV)/bin/slabtui starts it"

# Builds in dist/: slabtui.pyz, one file for Python 3.11 and newer; a wheel; an sdist; a Debian package.
dist: $(VENV)/.dist
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then # lintian and mandoc check the results
		export DEBIAN_FRONTEND=noninteractive
		add="apt-get install -qq -y --no-install-recommends lintian mandoc"
		{ command -v lintian && command -v mandoc || $$add || { apt-get update -qq && $$add; }; } >/dev/null
	fi
	$(VENV)/bin/python -m tests.tools.packaging dist

dist/slabtui.pyz: $(shell find slabtui docs tests/tools/packaging -type f ! -name '*.pyc') pyproject.toml
	@sh tests/tools/packaging/setup.sh dist
	$(VENV)/bin/python -m tests.tools.packaging dist pyz

# Installs the contents of slabtui.pyz, unpacked: it starts faster, because Python keeps the compiled modules. If the
# file exists, this needs no network and works with any Python.
install: dist/slabtui.pyz
	@python=$(VENV)/bin/python
	[ -x $$python ] || python=python3
	$$python -m tests.tools.packaging.install dist/slabtui.pyz "$(DESTDIR)" "$(PREFIX)"

# Installs the unit; systemctl enable --now slabtui starts it. Before Python 3.14 it needs python3-zstandard.
install-service: install
	@directory="$(DESTDIR)$(PREFIX)/lib/systemd/system"
	install -d "$$directory"
	sed "s,@bin@,$(PREFIX)/bin," docs/slabtui.service >"$$directory/slabtui.service"
	if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
	echo "install: done; systemctl enable --now slabtui records to /var/lib/slabtui"

uninstall:
	@cd "$(DESTDIR)$(PREFIX)"
	rm -rf share/slabtui
	rm -f bin/slabtui bin/slabratetop share/man/man8/slabtui.8 share/man/man8/slabratetop.8 \
		share/bash-completion/completions/slabtui share/zsh/site-functions/_slabtui \
		share/fish/vendor_completions.d/slabtui.fish lib/systemd/system/slabtui.service

test: lint
	@$(VENV)/bin/pytest -n 2 # tests that count run in one process, see tests/support/scheduling.py

# Boots Debian's kernels in an emulator and writes docs/kernels.md; ARGS="6.1 7" tests only these and prints the page.
test-kernels: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.tools.kernels $(ARGS)

# Follows the README in minimal root file systems of Debian's releases, installs the files of `make dist` there, and writes
# docs/distributions.md; ARGS="13 sid" tests only these releases and prints the page.
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

# Writes what is generated from the code: the rooms in docs/architecture.md, the reference in docs/library.md, the manual
# page, the README's pictures, and the dashboard of the metrics.
docs: $(VENV)/.test
	@$(VENV)/bin/python -m tests.tools.rooms
	$(VENV)/bin/python -m tests.tools.reference
	$(VENV)/bin/python -m tests.tools.manual docs/slabtui.8
	$(VENV)/bin/python -m tests.tools.picture docs
	$(VENV)/bin/python -m tests.tools.dashboard

# Writes docs/performance.md, which takes about 20 minutes on an idle machine; ARGS=--quick only checks that it works.
bench: $(VENV)/.test
	@for tool in bpftrace btop htop; do # measured too, if they run here
		if ! command -v $$tool >/dev/null && command -v apt-get >/dev/null; then
			DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$tool >/dev/null || true
		fi
	done
	exec $(VENV)/bin/python -m tests.tools.bench $(ARGS)

# Runs ten minutes under load with random keys, 20 minutes with a terminal that is not read, then every fault; writes
# docs/faults.md. ARGS=60 makes these one minute and two minutes, and prints the page.
soak: $(VENV)/.test
	@exec $(VENV)/bin/python -m tests.tools.soak $(ARGS)

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The script checks whether there is anything to do, because make cannot detect that an environment no longer works.
$(VENV)/.demo $(VENV)/.setup $(VENV)/.dist $(VENV)/.test: FORCE
	@sh tests/tools/packaging/setup.sh $(patsubst .%,%,$(@F))
FORCE:
