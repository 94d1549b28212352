#!/bin/sh
# The lab's LUNs: the kernel's own target (LIO), each LUN a file behind three tcm_loop ports, which are three I_T nexuses.
#
#   luns.sh start      makes both LUNs, lun0 first: A, B, C are sda, sdb, sdc on a machine without other disks
#   luns.sh reset N    takes LUN N away and makes it anew: no registration, no reservation, no unit attention, zeros
#
# Both end by writing who is where to $PRMIG_LAB_JSON, read from sysfs, and the links below /dev/disk.
set -eu
: "${PRMIG_LAB_JSON:=/run/prmig-lab/lab.json}"
target=/sys/kernel/config/target
size=67108864

port() { # nexus -> address of its target port, address of its initiator port
  case $1 in
    A) echo naa.5001400000000001 naa.600140000000aaaa ;;
    B) echo naa.5001400000000002 naa.600140000000bbbb ;;
    C) echo naa.5001400000000003 naa.600140000000cccc ;;
  esac
}
serial() { # LUN -> unit serial number; its first 25 hex digits become part of the designator
  case $1 in
    0) echo a0a0a0a0-0000-4000-8000-000000000000 ;;
    1) echo b1b1b1b1-0000-4000-8000-000000000001 ;;
  esac
}

tpg() { set -- $(port "$1"); echo "$target/loopback/$1/tpgt_1"; }
device() { echo "/sys/class/scsi_device/$(cat "$(tpg "$1")/address"):$2/device"; } # nexus, LUN -> sysfs directory
node() { ls "$(device "$1" "$2")/$3"; } # nexus, LUN, block or scsi_generic -> name of the node in /dev

create() {
  backstore=$target/core/fileio_0/lun$1
  mkdir -p "$backstore"
  truncate -s $size "/run/prmig-lab/lun$1.img"
  echo "fd_dev_name=/run/prmig-lab/lun$1.img,fd_dev_size=$size" >"$backstore/control"
  serial "$1" >"$backstore/wwn/vpd_unit_serial"
  echo 1 >"$backstore/enable"
  for nexus in A B C; do
    if [ ! -d "$(tpg $nexus)" ]; then
      mkdir -p "$(tpg $nexus)"
      set -- "$1" $(port $nexus)
      echo "$3" >"$(tpg $nexus)/nexus"
    fi
    mkdir -p "$(tpg $nexus)/lun/lun_$1"
    ln -s "$backstore" "$(tpg $nexus)/lun/lun_$1/lun$1"
    # the kernel looks at disks in its own time; waiting keeps their names in order
    tries=0
    until node $nexus "$1" block >/dev/null 2>&1 && node $nexus "$1" scsi_generic >/dev/null 2>&1; do
      tries=$((tries + 1))
      [ $tries -lt 200 ] || { echo "nexus $nexus has no disk for LUN $1" >&2; exit 1; }
      sleep 0.05
    done
  done
}

remove() {
  for nexus in A B C; do rm -f "$(tpg $nexus)/lun/lun_$1/lun$1"; done
  rmdir "$target/core/fileio_0/lun$1"
  rm -f "/run/prmig-lab/lun$1.img" "/var/target/pr/aptpl_$(serial "$1")"
}

describe() {
  separator=
  printf '{"luns":['
  for lun in 0 1; do
    printf '%s{"name":"lun%s","designator":"%s","serial":"%s","sizeBytes":%s,"nexuses":{' "$separator" $lun \
      "$(cat "$(device A $lun)/wwid")" "$(serial $lun)" $size
    separator=
    for nexus in A B C; do
      set -- $(port $nexus)
      hctl=$(cat "$(tpg $nexus)/address"):$lun
      printf '%s"%s":{"sd":"/dev/%s","sg":"/dev/%s","hctl":"%s","targetPort":"%s","initiatorPort":"%s"' "$separator" \
        $nexus "$(node $nexus $lun block)" "$(node $nexus $lun scsi_generic)" "$hctl" "$1" "$2"
      printf ',"byId":"%s","byPath":"%s"}' "$(by_id $nexus $lun)" "$(by_path $nexus $lun)"
      separator=,
    done
    printf '}}'
  done
  printf ']}\n'
}

# udev makes one link per LUN and lets the last path win; here each nexus plays a host of its own and has its own.
by_id() {
  wwid=$(cat "$(device A "$2")/wwid")
  [ "$1" = A ] && suffix= || suffix=-nexus-$1
  echo "/dev/disk/by-id/wwn-0x${wwid#naa.}$suffix"
}
by_path() { echo "/dev/disk/by-path/lab-nexus-$1-lun-$2"; }
links() {
  mkdir -p /dev/disk/by-id /dev/disk/by-path
  for lun in 0 1; do
    for nexus in A B C; do
      for name in "$(by_id $nexus $lun)" "$(by_path $nexus $lun)"; do
        ln -sfn "../../$(node $nexus $lun block)" "$name"
      done
    done
  done
}

# A LUN that comes or goes leaves "reported LUNs data has changed" with each nexus, on all its LUNs. Take it from there.
drain_attentions() {
  for lun in 0 1; do
    for nexus in A B C; do
      sg_turs --number=2 "/dev/$(node $nexus $lun scsi_generic)" >/dev/null 2>&1 || true
    done
  done
}

publish() {
  links
  drain_attentions
  describe >"$PRMIG_LAB_JSON.new"
  mv "$PRMIG_LAB_JSON.new" "$PRMIG_LAB_JSON"
}

case $1 in
  start)
    # LIO rewrites a file there at every REGISTER; without the directory REGISTER ends NOT READY
    mkdir -p /var/target/pr /var/target/alua "$(dirname "$PRMIG_LAB_JSON")"
    create 0
    create 1
    publish
    ;;
  reset)
    remove "$2"
    create "$2"
    publish
    ;;
  *)
    echo "usage: luns.sh start | reset N" >&2
    exit 2
    ;;
esac
