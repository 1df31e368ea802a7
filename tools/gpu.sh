#!/bin/sh
# The checks of a machine with a GPU (`make gpu`): the tests, which use the GPU where they
# see one, and every chapter, whose claims then decide (its digits may differ).
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python

if ! $python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  if [ "${SEGTUTOR_ALLOW_CPU:-}" != 1 ]; then
    echo "segtutor: torch sees no GPU here (SEGTUTOR_ALLOW_CPU=1 runs the same checks on the CPU)." >&2
    exit 1
  fi
fi
$python -m pytest -m "not browser" --ignore tests/colab --ignore tests/book --ignore tests/test_project.py
PYTHONWARNINGS=ignore $python -m pytest --nbval-lax --nbval-current-env \
  --nbval-cell-timeout=600 -o addopts= book
