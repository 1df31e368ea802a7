#!/bin/sh
# Writes the lock files again from the ranges in pyproject.toml (`make lock`).
#
#   requirements.txt              everything: book, tests, comparisons
#   requirements-book.txt         the book alone, no torch; the same versions
#   tests/colab/requirements.txt  the stand-in for Colab
set -eu
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/python -m uv pip compile --quiet --universal --no-emit-index-url --upgrade \
    --custom-compile-command "make lock" "$@"
}

compile --python-version 3.11 --extra book --extra test --extra compare \
  pyproject.toml -o requirements.txt
.venv/bin/python -c '
import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["project"]["optional-dependencies"]["book"], sep="\n")' |
  compile --python-version 3.11 -c requirements.txt - -o requirements-book.txt
compile --python-version 3.13 tests/colab/requirements.in -o tests/colab/requirements.txt
git --no-pager diff --stat -- '*requirements*.txt'
