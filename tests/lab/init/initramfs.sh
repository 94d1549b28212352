#!/bin/busybox sh
# First program of the lab: puts the machine's root, read-only over 9p, under a tmpfs overlay and goes on from there.
# With lab.probe on the kernel command line it only says that it runs: that is how KVM is tried.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
if $b grep -q lab.probe /proc/cmdline; then
  echo "lab: a guest runs" >/dev/ttyS0
  $b reboot -f
fi
die() {
  echo "lab: $1" >/dev/console
  [ -d /out ] && echo "$1" >/out/failure
  $b reboot -f
}
for module in /modules/*.ko; do $b insmod "$module" || die "cannot load $module"; done
nine=trans=virtio,version=9p2000.L,msize=512000
$b mkdir -p /out /lower /tools /rw /mnt
$b mount -t 9p -o $nine,cache=none out /out || die "no out share"
. /out/lab.env
$b mount -t 9p -o $nine,cache=loose,ro hostroot /lower || die "no root share"
# a share of its own, since a layer of an overlay may not lie within another
[ -z "$LAB_TOOLS" ] || $b mount -t 9p -o $nine,cache=loose,ro tools /tools || die "no tools share"
$b mount -t tmpfs tmpfs /rw
$b mkdir -p /rw/upper /rw/work
$b mount -t overlay -o "lowerdir=${LAB_TOOLS:+/tools:}/lower,upperdir=/rw/upper,workdir=/rw/work" root /mnt ||
  die "no overlay"
$b mkdir -p /mnt/lab-out /mnt/proc /mnt/dev
for name in out:lab-out proc:proc dev:dev; do $b mount --move "/${name%:*}" "/mnt/${name#*:}"; done
exec $b switch_root /mnt /bin/sh "$LAB_REPO/tests/lab/init/main.sh"
