#!/bin/sh
# Builds the kernel's loops for 64-bit ARM (NEON) and runs them under emulation, on the shapes of
# run_sanitizers.sh. Needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
flags="-std=gnu11 -O3 -static -Wall -Wextra -Werror"
flags="$flags -fno-math-errno -fno-trapping-math -ffinite-math-only -fno-signed-zeros"
for program in exercise_shrink exercise; do
    aarch64-linux-gnu-gcc $flags "$here/$program.c" -o "$build/$program" -lm -lpthread
    qemu-aarch64-static "$build/$program" "${1:-short}"
done
