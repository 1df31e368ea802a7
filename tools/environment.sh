#!/bin/sh
# Makes one of the project's environments, or finds that it is already there.
#
#   tools/environment.sh FOLDER LOCK [--with-package] [--only 3.13]
#
# FOLDER is created with Python's own venv, LOCK is installed into it, and with
# --with-package so is this repository, editable. FOLDER/made-from remembers what
# it was made from: the next call compares and returns at once.
# $PYTHON chooses the interpreter; otherwise the newest suitable one on PATH is taken.
# --only VERSION accepts no other Python and, where there is none, says so and goes on.
set -eu
cd "$(dirname "$0")/.."

uv_release=0.13.8
folder=$1
lock=$2
package=
wanted=
shift 2
while [ $# -gt 0 ]; do
  case $1 in
    --with-package) package=yes ;;
    --only) wanted=$2; shift ;;
    *) echo "tools/environment.sh: unknown argument '$1'" >&2; exit 2 ;;
  esac
  shift
done

fail() {
  echo "segtutor: $*" >&2
  exit 1
}

# suitable PYTHON -> its version, if it can carry the locked environment
suitable() {
  "$1" -c '
import sys
version = sys.version_info[:2]
wanted = sys.argv[1]
ok = version >= (3, 11) if not wanted else "%d.%d" % version == wanted
if ok:
    import ensurepip, venv
    print("%d.%d.%d" % sys.version_info[:3])
sys.exit(not ok)' "$wanted" 2>/dev/null
}

# The interpreters to try, newest first. pyenv keeps its own out of PATH.
candidates() {
  if [ -n "$wanted" ]; then
    echo "python$wanted"
    ls -d "$HOME/.pyenv/versions/$wanted".*/bin/python 2>/dev/null || true
  else
    printf 'python%s\n' 3.13 3.12 3.11 3 3.14 ''
  fi
}

find_python() {
  if [ -n "${PYTHON:-}" ] && [ -z "$wanted" ]; then
    suitable "$PYTHON" >/dev/null && { echo "$PYTHON"; return; }
    found=$("$PYTHON" --version 2>&1) || found="no Python"
    fail "PYTHON=$PYTHON is $found; Python 3.11 or newer with its venv module is needed."
  fi
  old=
  for candidate in $(candidates); do
    command -v "$candidate" >/dev/null 2>&1 || continue
    suitable "$candidate" >/dev/null && { echo "$candidate"; return; }
    found=$("$candidate" --version 2>&1) && old="$found at $(command -v "$candidate")"
  done
  if [ -n "$wanted" ]; then
    echo "Skipped: $folder needs Python $wanted, and none was found." >&2
    return
  fi
  case $old in
    '') fail "no Python was found: install Python 3.11 or newer." ;;
    'Python 3.1'[1-9]*) fail "$old has no venv module: install it (Debian: apt install python3-venv)." ;;
    *) fail "Python 3.11 or newer is needed, and only $old was found: install a newer one, or name it with PYTHON=…" ;;
  esac
}

made_from() {
  pwd
  cat "$lock"
  [ -z "$package" ] || cat pyproject.toml
}

if made_from | cmp -s - "$folder/made-from" && "$folder/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

python=$(find_python)
[ -n "$python" ] || exit 0
version=$(suitable "$python")
echo "Setting up $folder with Python $version …"

# A folder that was moved here, or made with another Python, is made anew.
clear=--clear
if here=$("$folder/bin/python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) &&
  [ "$here" = "$version" ]; then
  if [ ! -e "$folder/made-from" ] || [ "$(head -n 1 "$folder/made-from")" = "$(pwd)" ]; then
    clear=
  fi
fi
rm -f "$folder/made-from"
"$python" -m venv $clear "$folder"
"$folder/bin/python" -m pip install -qq --disable-pip-version-check "uv==$uv_release" ||
  fail "could not install uv into $folder: is the package index within reach?"
install() {
  "$folder/bin/python" -m uv pip install --quiet --python "$folder/bin/python" "$@" ||
    fail "could not install $lock into $folder (the message above says why)."
}
install -r "$lock"
[ -z "$package" ] || install --no-deps --no-build-isolation --reinstall-package segtutor -e .
made_from >"$folder/made-from"
