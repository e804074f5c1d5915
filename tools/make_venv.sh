#!/bin/sh
# Make or bring up to date a virtual environment: make_venv.sh PYTHON VENV REQUIREMENTS
set -eu
python=$1 venv=$2 requirements=$3

command -v "$python" >/dev/null || {
    echo "make: there is no '$python'; name an interpreter with make PYTHON=/path/to/python3.11" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "make: Python 3.11 or newer is needed, and '$python' is $("$python" -V 2>&1); name another with make PYTHON=/path/to/python3.11" >&2
    exit 1
}

# An environment's scripts hold its path: one that was copied or moved is made anew.
here=$(pwd -P)
stamp=$venv/.setup-done
if [ -e "$stamp" ] && [ "$(cat "$stamp")" != "$here" ]; then
    rm -rf "$venv"
fi
if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
    rm -rf "$venv"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
    else
        "$python" -m venv --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check uv || {
            echo "make: '$python' has neither ensurepip nor pip; install its venv package (Debian: python3-venv)" >&2
            exit 1
        }
    fi
fi
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --requirement "$requirements"
printf '%s' "$here" >"$stamp"
