#!/bin/sh
# Everything that is checked before a change is accepted (`make test`).
#
# Every part runs, even after one has failed; the parts' own closing lines stand at
# the end, and the exit status tells whether all of them passed.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
failed=

part() { # part NAME COMMAND…
  name=$1
  shift
  printf '\n── %s\n' "$name"
  begin=$(date +%s)
  # The status of the command, not of tee, decides.
  { "$@" 2>&1; echo $? >"$reports/status"; } | tee "$reports/output"
  seconds=$(($(date +%s) - begin))
  if [ "$(cat "$reports/status")" -eq 0 ]; then mark=passed; else mark=FAILED failed=yes; fi
  printf '%-10s %s, %s s\n' "$name" "$mark" "$seconds" >>"$reports/summary"
  case $name in lint) ;; *) tail -n 1 "$reports/output" >>"$reports/closing" ;; esac
}

part lint sh -c "$python -m ruff check && $python -m ruff format --check"
part quick $python -m pytest --numprocesses=logical --dist=loadfile \
  -m "not slow and not browser" --ignore tests/colab
part slow $python -m pytest --numprocesses=logical --dist=loadfile \
  -m "slow or browser" --ignore tests/colab --ignore tests/book/test_pictures.py
# Every chapter has a budget of time, by the clock: nothing else may run beside it.
part chapters $python -m pytest -m slow tests/book/test_pictures.py
# Every cell of every chapter is executed again and its text compared with the stored text.
part notebooks env PYTHONWARNINGS=ignore $python -m pytest --numprocesses=logical --dist=loadfile \
  --nbval --nbval-current-env \
  --nbval-cell-timeout=600 --nbval-sanitize-with=tests/nbval.cfg -o addopts= book

printf '\n── summary\n'
cat "$reports/summary" "$reports/closing"
[ -z "$failed" ]
