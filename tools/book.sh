#!/bin/sh
# Builds the book (`make book`): always fresh, because a second, incremental build of a
# faulty book succeeds; and strictly, so that a warning is an error.
set -eu
cd "$(dirname "$0")/.."

rm -rf _build
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! .venv-book/bin/jupyter-book build -W --keep-going -n . >"$log" 2>&1; then
  cat "$log"
  echo "segtutor: the book was not built: see the warnings above." >&2
  exit 1
fi
cat <<END
The book is built: $(pwd)/_build/html/index.html
Open that file, or show it with: make serve
END
