#!/bin/sh
# Stands for the ebbtide binary: runs the test binary that started this script in the role that the
# first argument names.
export EBBTIDE_TEST_ROLE="$1"
exec "$(readlink "/proc/$PPID/exe")" roles::play --exact --ignored --nocapture --quiet
