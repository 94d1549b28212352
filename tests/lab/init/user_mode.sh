#!/bin/sh
# First program of the lab under user-mode Linux, whose root is this machine's, read-only: puts it, with the unpacked tools,
# under a tmpfs overlay and goes on from there, as initramfs.sh does elsewhere.
. "$LAB_OUT/lab.env"
b=$LAB_BUSYBOX
die() {
  echo "$1" # to the console
  $b poweroff -f
}
$b mount -t proc proc /proc
for module in "$LAB_MODULES"/*/kernel/fs/overlayfs/overlay.ko; do
  $b insmod "$module" || die "cannot load $module"
done
$b mount -t tmpfs tmpfs /mnt
$b mkdir -p /mnt/upper /mnt/work /mnt/lower /mnt/root
$b mount -t hostfs -o / none /mnt/lower || die "no hostfs"
$b mount -t overlay -o "lowerdir=${LAB_TOOLS:+$LAB_TOOLS:}/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work" root /mnt/root ||
  die "no overlay"
cd /mnt/root || die "no root"
$b mkdir -p lab-out
$b mount -t hostfs -o "$LAB_OUT" none lab-out || die "no out directory"
$b mount -t proc proc proc
$b mount -t devtmpfs dev dev
exec $b chroot /mnt/root /bin/sh "$LAB_REPO/tests/lab/init/main.sh"
