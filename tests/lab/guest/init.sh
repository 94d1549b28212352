#!/bin/busybox sh
# The guest's only script: loads the drivers, says that it is ready (there the saved state is taken, with a disk controller
# and no disks), and then runs every line it reads from the serial port. `disks N` looks for disks 0 to N-1.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
disks() {
  target=0
  while [ $target -lt "$1" ]; do
    echo "0 $target 0" >/sys/class/scsi_host/host0/scan
    target=$((target + 1))
  done
}
for module in /modules/*.ko; do
  case $module in
    # otherwise the kernel asks 256 targets, which takes ten seconds here
    *scsi_mod.ko) insmod "$module" scan=manual ;;
    *) insmod "$module" ;;
  esac
done
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty raw -echo
dmesg -n 1
echo "guest: ready"
while read -r line; do eval "$line"; done
