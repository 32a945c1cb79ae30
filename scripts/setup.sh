#!/bin/sh
# Makes the virtual environment. Needs Python 3.11 or later; says in one sentence what is missing.
set -eu
: "${PYTHON:=python3}" "${VENV:=.venv}"

say() { printf '%s\n' "$*" >&2; }

command -v "$PYTHON" >/dev/null 2>&1 || { say "Python 3.11 or later is needed, and $PYTHON was not found."; exit 2; }
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or later is needed; $PYTHON is $("$PYTHON" -V 2>&1)."; exit 2; }

if ! "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
        say "Python's venv module is needed: as root, apt-get install python3-venv."; exit 2
    fi
fi

[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
"$VENV/bin/python" -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'
"$VENV/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[fast,edge,ocr,pi]' --group test --group lint
