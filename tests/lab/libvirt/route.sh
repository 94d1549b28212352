#!/bin/bash
# The documented libvirt route, with libvirt: two libvirtds on one kernel, a guest with a passed-through LUN whose
# reservations go through `prmig snoop`, and packaging/libvirt/prmig-virsh-migrate from one to the other. By hand, for it
# boots a guest cold, and needs packages that nothing else does:
#
#   PRMIG_LAB_PACKAGES=libvirt-daemon-system,libvirt-clients,libvirt-daemon-driver-qemu \
#       deno task lab -- bash tests/lab/libvirt/route.sh
#
# Exit 0 when the guest counts on the other host without a failed write, and that host alone is registered and holds.
set -u
here=$(cd "$(dirname "$0")" && pwd)
say() { echo "=== $(cut -d' ' -f1 /proc/uptime) $*"; }
die() { say "FAILED: $*"; cp /srv/*/libvirtd.log /run/console-*.log /lab-out/ 2>/dev/null; exit 1; }
# until SECONDS COMMAND...: again and again until it works
until_true() {
    local left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 1
    done
}
from() { python3 -c 'import json,sys; print(eval("json.loads(sys.stdin.read())" + sys.argv[1]))' "$1"; }
sda=$(from "['luns'][0]['nexuses']['A']['sd']" <"$PRMIG_LAB_JSON")
sdb=$(from "['luns'][0]['nexuses']['B']['sd']" <"$PRMIG_LAB_JSON")
kernel=$(from "['vmlinux']" <<<"$PRMIG_LAB_GUEST")
initrd=$(from "['initrd']" <<<"$PRMIG_LAB_GUEST")

# What the packages' installation scripts would have done.
for group in libvirt kvm libvirt-qemu; do getent group $group >/dev/null || groupadd -r $group; done
getent passwd libvirt-qemu >/dev/null || useradd -r -M -g libvirt-qemu -d /var/lib/libvirt libvirt-qemu

mkdir -p /hostdev /srv/hosta /srv/hostb /run/prmig
uuid=11111111-2222-4333-8444-55555555000
unshare -m -u --propagation private bash "$here/host.sh" hosta ${uuid}a "$sda" &
unshare -m -u --propagation private bash "$here/host.sh" hostb ${uuid}b "$sdb" &
a="qemu+unix:///system?socket=/srv/hosta/libvirt-sock" b="qemu+unix:///system?socket=/srv/hostb/libvirt-sock"
prmig snoop &
for socket in /srv/hosta/libvirt-sock /srv/hostb/libvirt-sock /run/prmig/pr-helper.sock; do
    until_true 120 test -S $socket || die "nobody listens on $socket"
done

cat >/run/vm1.xml <<END
<domain type='qemu'>
  <name>vm1</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$kernel</kernel><initrd>$initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 no_timer_check</cmdline>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='scsi' index='0' model='virtio-scsi'/><controller type='usb' model='none'/>
    <disk type='block' device='lun'>
      <driver name='qemu' type='raw' cache='none'/>
      <source dev='/hostdev/lun'>
        <reservations managed='no'>
          <source type='unix' path='/run/prmig/pr-helper.sock' mode='client'/>
        </reservations>
      </source>
      <target dev='sda' bus='scsi'/><shareable/>
    </disk>
    <serial type='unix'><source mode='bind' path='/hostdev/serial'/><target port='0'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
END
virsh -c "$a" define /run/vm1.xml && virsh -c "$a" start vm1 || die "libvirt does not start the guest"
virsh -c "$a" qemu-monitor-command vm1 '{"execute":"query-pr-managers"}' | grep -q '"connected":true' ||
    die "QEMU has no connection to prmig snoop"

say "the guest boots"
mkfifo /run/typed
# Each host's own: the QEMU that ends removes its socket.
serial() { echo "UNIX-CONNECT:/proc/$(cat "/srv/$1/pid")/root/hostdev/serial"; }
socat - "$(serial hosta)" </run/typed >/run/console-a.log &
exec 7>/run/typed
until_true 300 grep -q "guest: ready" /run/console-a.log || die "the guest does not boot"
mark=0
typed() { # a command in the guest, which must work
    mark=$((mark + 1))
    echo "$1; echo \"end-\$((100 + $mark)) \$?\"" >&7
    until_true 120 grep -q "end-$((100 + mark)) 0" /run/console-a.log || die "in the guest: $1"
}
typed "disks 1; ls /dev/sg0"
typed "guest pr-out /dev/sg0 0 0 0 0xbeef"
typed "guest pr-out /dev/sg0 1 5 0xbeef 0"
echo "guest tick /dev/sda 500 &" >&7
until_true 120 grep -q "^tick .* ok" /run/console-a.log || die "the guest does not write"

say "prmig-virsh-migrate"
of() { echo "--mount=/proc/$(cat "/srv/$1/pid")/ns/mnt"; }
printf '#!/bin/sh\nexec nsenter %s env PRMIG_STATE_DIR=/var/lib/prmig-there prmig recv /hostdev/lun --timeout 120s\n' \
    "$(of hostb)" >/run/to-b
chmod 755 /run/to-b
nsenter "$(of hosta)" env LIBVIRT_DEFAULT_URI="$a" PRMIG_URI="$b" PRMIG_REMOTE=/run/to-b PRMIG_TIMEOUT=120s \
    sh "$here/../../../packaging/libvirt/prmig-virsh-migrate" vm1 hostb --migrateuri tcp://127.0.0.1:49200
code=$?
[ $code = 0 ] || die "prmig-virsh-migrate ended with $code"

timeout 60 socat -u "$(serial hostb)" - >/run/console-b.log &
[ "$(virsh -c "$b" domstate vm1)" = running ] || die "the guest does not run on the other host"
[ "$(virsh -c "$a" domstate vm1)" = "shut off" ] || die "the guest is on the first host as well"
until_true 60 sh -c 'test $(grep -c "^tick .* ok" /run/console-b.log) -ge 3' || die "the guest does not write there"
! grep -h "^tick .* FAIL" /run/console-?.log || die "writes failed"
state=$(sg_persist --no-inquiry --in --read-full-status "$sda")
echo "$state"
[ "$(grep -c 'Key=0xbeef' <<<"$state")" = 1 ] && grep -q 0000bbbb <<<"$state" || die "the LUN is not the other host's alone"
say "the guest counts on the other host, which alone is registered and holds"
