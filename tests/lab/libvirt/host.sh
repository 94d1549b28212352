#!/bin/bash
# Becomes the libvirtd of one host, in mount and host-name namespaces of its own: everything that libvirt keeps is its own,
# and /hostdev/lun is the LUN through this host's nexus. Both hosts have the LUN under the same name, as libvirt wants it.
#
#   unshare -m -u --propagation private bash host.sh NAME UUID SD
#
# Its socket is /srv/NAME/libvirt-sock, which everybody sees.
set -eu
name=$1 uuid=$2 sd=$3
for directory in /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt; do
    mkdir -p $directory
    mount -t tmpfs tmpfs $directory
done
mkdir -p /etc/libvirt/qemu /var/lib/libvirt/qemu
mount -t tmpfs tmpfs /hostdev
cp -a "$sd" /hostdev/lun
hostname "$name"
# No AppArmor, no cgroups, no log daemon in the lab.
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
dynamic_ownership = 0
stdio_handler = "file"
END
# Two hosts of one machine would have one identity, and libvirt refuses to migrate to itself.
cat >/etc/libvirt/libvirtd.conf <<END
host_uuid = "$uuid"
unix_sock_dir = "/srv/$name"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:file:/srv/$name/libvirtd.log"
END
exec libvirtd --config /etc/libvirt/libvirtd.conf -p "/srv/$name/pid"
