#!/bin/sh
# Compiles the stub into the hex that is kept beside it: sh compile.sh [PREFIX], PREFIX aarch64-linux-gnu- for that one.
# Prints the hex of the stub on stdout. Needs gcc and binutils of the target; building prmig does not.
set -eu
prefix=${1:-}
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-Os -fPIE -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fvisibility=hidden -fno-builtin
  -fno-tree-loop-distribute-patterns -nostdlib -Wall -Wextra -Werror"
[ -n "$prefix" ] || flags="$flags -mno-sse -fcf-protection=none"
# shellcheck disable=SC2086
"${prefix}gcc" $flags -c stub.c -o "$work/stub.o"
"${prefix}ld" -T link.ld -pie --no-dynamic-linker --no-warn-rwx-segments -o "$work/stub.elf" "$work/stub.o"
"${prefix}objcopy" -O binary -j .text "$work/stub.elf" "$work/stub.bin"
od -An -v -tx1 -w32 "$work/stub.bin" | tr -d ' '
