#!/bin/sh
# Builds the kernel's loops with the address, undefined-behaviour and thread sanitizers and runs
# them on many shapes, strides and depths. Needs gcc or clang with their sanitizer libraries.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
flags="-std=gnu11 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror"
flags="$flags -fno-math-errno -fno-trapping-math -ffinite-math-only -fno-signed-zeros"
for sanitizer in address,undefined thread; do
    echo "== $sanitizer"
    ${CC:-cc} $flags "-fsanitize=$sanitizer" -fno-sanitize-recover=all \
        "$here/exercise.c" -o "$build/exercise" -lm -lpthread
    ${CC:-cc} $flags "-fsanitize=$sanitizer" -fno-sanitize-recover=all \
        "$here/exercise_shrink.c" -o "$build/exercise_shrink" -lm -lpthread
    "$build/exercise_shrink"
    case $sanitizer in thread) scope=short ;; *) scope=all ;; esac
    "$build/exercise" $scope
done
