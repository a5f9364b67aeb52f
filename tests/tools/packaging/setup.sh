#!/bin/sh
# Makes or repairs the virtual environment .venv, in the directory of the project: setup.sh demo|setup|dist|test
#   demo   slabtui alone, for recordings: needs no root
#   setup  a Python of the system that can import bcc too, so that the live view works
#   dist   the demo's, and what `make dist` needs
#   test   the setup's, and what lint and the tests need
# Does nothing if all of that is in place. On an error it prints one line and exits with 1.
set -eu
umask 022 # every user must be able to read an environment that root makes
export PIP_RETRIES="${PIP_RETRIES:-2}" # not as an option: pip starts another pip without it

level=$1
here=$(pwd -P)
venv=.venv
oldest=11 # slabtui needs Python 3.11

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

version() { "$1" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }
new_enough() { "$1" -I -c "import sys; sys.exit(sys.version_info < (3, $oldest))" 2>/dev/null; }
imports() { "$1" -I -c "import $2" 2>/dev/null; }

# Prints the candidates for an interpreter, the best first: the user's choice, the distribution's, then the newest.
pythons() {
	command -v python3 || true
	echo /usr/bin/python3
	for minor in $(seq 29 -1 $oldest); do
		command -v "python3.$minor" || true
	done
}
find_python() {
	for python in $(pythons); do
		if new_enough "$python" && imports "$python" "$1"; then echo "$python"; return; fi
	done
}
# slabtui compiles its programs in a child process, under any Python for which the distribution has built bcc.
find_bcc() {
	for python in ${SLABTUI_PYTHON:-} /usr/bin/python3 /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9] \
		/usr/libexec/platform-python; do
		if imports "$python" bcc; then echo "$python"; return; fi
	done
}

has() { command -v "$1" >/dev/null; }

# The packages of a Python that is new enough and makes virtual environments: apt's default one, or the newest beside it.
apt_python() {
	default=$(apt-cache policy python3 2>/dev/null | sed -n 's/^ *Candidate: 3\.\([0-9]*\).*/\1/p')
	newest=$(apt-cache pkgnames python3. 2>/dev/null | sed -n 's/^python3\.\([0-9]*\)-venv$/\1/p' | sort -n | tail -n 1)
	if [ "${default:-0}" -ge $oldest ]; then echo python3 python3-venv
	elif [ "${newest:-0}" -ge $oldest ]; then echo "python3.$newest-venv"
	fi
}
# A minimal system has no list of packages until the first apt-get update.
update_apt() {
	! has apt-get || [ "$(id -u)" != 0 ] || apt-cache show "$1" >/dev/null 2>&1 || { say "apt-get update"; apt-get update -qq; }
}
# Installs with the first package manager found: install_packages APT DNF PACMAN ZYPPER, each a list of names.
install_packages() {
	if has apt-get; then install="apt-get install -qq -y --no-install-recommends $1"
	elif has dnf; then install="dnf install -q -y $2"
	elif has pacman; then install="pacman -S --needed --noconfirm $3"
	elif has zypper; then install="zypper -q -n install $4"
	else die "no package manager known here: install Python 3.$oldest or newer, and bcc for Python, by hand"
	fi
	[ "$(id -u)" = 0 ] || die "packages are missing: run it as root, as in sudo make $level"
	say "$install"
	export DEBIAN_FRONTEND=noninteractive
	$install >/dev/null || { has apt-get && apt-get update -qq && $install >/dev/null; } ||
		die "the packages cannot be installed, see above"
}
install_python() {
	update_apt python3
	python_packages=
	if has apt-get; then
		python_packages=$(apt_python)
		if [ -z "$python_packages" ]; then # said before anything is installed
			default=$(apt-cache policy python3 2>/dev/null | sed -n 's/^ *Candidate: \(3\.[0-9]*\).*/\1/p')
			die "slabtui needs Python 3.$oldest or newer, and this distribution has ${default:-none}: use a newer one"
		fi
	fi
	install_packages "$python_packages" python3.12 python python312
}

# An environment works only in the directory and under the version of Python that it was made for.
identity() {
	"$venv/bin/python" -I -c 'import os, sys; print(os.getcwd(), "%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}
is_done() { # step
	[ -n "$now" ] && [ "$(cat "$venv/.$1" 2>/dev/null)" = "$now" ] &&
		[ -z "$(find pyproject.toml -newer "$venv/.$1")" ]
}
finish() { echo "$now" >"$venv/.$1"; }

pip_install() {
	log=$(mktemp)
	if ! "$venv/bin/python" -m pip install --disable-pip-version-check "$@" >"$log" 2>&1; then
		case $(cat "$log") in
		*NewConnectionError* | *ConnectTimeout* | *ReadTimeout* | *NameResolutionError* | *ProxyError* | *SSLError*)
			problem="PyPI cannot be reached: name a mirror in PIP_INDEX_URL, or build slabtui.pyz with make dist on another machine and copy it here" ;;
		*) problem="pip failed: $(grep -i error "$log" | tail -n 1)" ;;
		esac
		rm -f "$log"
		die "$problem"
	fi
	rm -f "$log"
}

why_make() {
	if [ ! -e "$venv" ]; then echo "it does not exist"
	elif [ ! -r "$venv/pyvenv.cfg" ]; then echo "the existing one cannot be read"
	elif [ -z "$(find "$venv" -prune -perm -005)" ]; then echo "other users cannot read the existing one"
	elif [ -z "$now" ]; then echo "the Python of the existing one is gone"
	elif [ ! -e "$venv/.demo" ]; then echo "the existing one is incomplete"
	elif [ "$(cat "$venv/.demo")" != "$now" ]; then echo "the existing one was made for $(cat "$venv/.demo"), this is $now"
	fi
}

make_venv() {
	python=$(find_python ensurepip)
	[ -n "$python" ] || { install_python; python=$(find_python ensurepip); }
	[ -n "$python" ] || die "no Python 3.$oldest or newer that has the module ensurepip: install one"
	say "making $venv with $python ($(version "$python")): $1"
	rm -rf "$venv" 2>/dev/null || die "$here/$venv is another user's: sudo rm -rf $here/$venv"
	"$python" -m venv "$venv"
	now=$(identity)
}

now=$(identity)
why=$(why_make)
[ -z "$why" ] || make_venv "$why"
is_done "$level" && exit
[ -w "$venv" ] || die "$here/$venv is another user's, and has to change: run it as root, as in sudo make $level"
if ! is_done demo; then
	say "installing slabtui and what it imports, from PyPI"
	pip_install -e .
	finish demo
fi
case $level in setup | test)
	if ! is_done setup; then
		[ -n "$(find_bcc)" ] || { update_apt python3-bpfcc; install_packages python3-bpfcc python3-bcc python-bcc python3-bcc; }
		python=$(find_bcc)
		[ -n "$python" ] || die "no Python of the system can import bcc: install it by hand, or name one in SLABTUI_PYTHON"
		say "bcc found in $python ($(version "$python"))"
		finish setup
	fi ;;
esac
if [ "$level" = test ]; then # file systems and locales that tests make
	has mkfs.ext4 && has mount && has localedef && [ -e /usr/share/i18n/locales/ja_JP ] || {
		update_apt locales
		install_packages "e2fsprogs mount locales" "e2fsprogs util-linux glibc-locale-source" \
			"e2fsprogs util-linux glibc-locales" "e2fsprogs util-linux glibc-i18ndata"
	}
	# Monitoring systems that scrape slabtui. Unpacked, not installed, because their packages start services.
	# promtool is part of Debian's prometheus, and has a package of its own since Debian 13.
	for package in prometheus promtool victoria-metrics; do
		if has apt-get && ! has $package && [ ! -e "$venv/usr/bin/$package" ]; then
			say "unpacking $package"
			place=$(mktemp -d)
			(cd "$place" && apt-get download -qq $package 2>/dev/null) && dpkg-deb --fsys-tarfile "$place"/*.deb |
				tar -x -C "$venv" --no-same-owner ./usr/bin ||
				say "no package $package here: the tests with it are skipped"
			rm -rf "$place"
		fi
	done
fi
case $level in dist | test)
	say "installing what make $level needs, from PyPI"
	pip_install -e ".[$level]"
	finish "$level" ;;
esac
