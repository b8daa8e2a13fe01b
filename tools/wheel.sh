#!/usr/bin/env bash
# The wheel as a user has it: built, installed into an environment of its own with the extras, outside the
# project, and asked to link a mention from a bundle.
#
# usage  tools/wheel.sh BUNDLE [PYTHON …]    (python3 without one; those that are not here are said and left out)
#        DEPENDENCIES=.venv tools/wheel.sh BUNDLE    takes what the wheel depends on from an environment that is
#        there, in seconds; mmoe itself comes from the wheel in any case
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
bundle=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
[ $# -gt 0 ] || set -- python3
number=0
for python in "$@"; do
  if ! "$python" -c '' 2>/dev/null; then
    echo "$python: not here, left out"
    continue
  fi
  number=$((number + 1))
  env="$work/env-$number"
  "$python" -m venv "$env"
  pip="$env/bin/pip --quiet --disable-pip-version-check"
  [ -e ./*.whl ] || $pip wheel --no-deps --wheel-dir . "$project"
  wheel=$(echo "$work"/mmoe-*.whl)
  if [ -n "${DEPENDENCIES:-}" ]; then
    site=$("$project/$DEPENDENCIES/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$site" >"$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/others.pth"
    $pip install --no-deps "$wheel"
  else
    $pip install "$(grep '^torch==' "$project/constraints.txt")"
    $pip install --constraint "$project/constraints.txt" "${wheel}[server,ray]"
  fi
  "$env/bin/mmoe" link "$bundle" "Mercury is the planet closest to the sun." --mention Mercury --json |
    "$python" -c 'import json, sys; found = json.load(sys.stdin)[0]["links"][0]; print(found["name"], found["qid"])'
  "$env/bin/python" -c 'import mmoe.server.app, ray, sys; assert mmoe.__file__.startswith(sys.prefix)'
  echo "$("$python" --version): the wheel links"
done
[ "$number" -gt 0 ]
