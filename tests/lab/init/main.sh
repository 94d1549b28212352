#!/bin/sh
# PID 1 of the lab, on the overlay root: mounts, modules, LUNs; then the given command; then the end of the machine.
# /lab-out (the host's out share): lab.env, environment.sh and command.sh come in, started, exit-code or failure go out.
. /lab-out/lab.env
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Not a reboot under user-mode Linux: that would start it again.
finish() {
  if [ "$LAB_MACHINE" = um ]; then "$LAB_BUSYBOX" poweroff -f; else echo b >/proc/sysrq-trigger; fi
  while :; do sleep 1; done
}
fail() { echo "$*" >/lab-out/failure; finish; }

mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts -o mode=600,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
ln -sf /proc/self/fd /dev/fd
for name in stdin:0 stdout:1 stderr:2; do ln -sf "/proc/self/fd/${name#*:}" "/dev/${name%:*}"; done
[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing
mkdir -p /lib/modules
mount --bind "$LAB_MODULES" /lib/modules
echo lab >/proc/sys/kernel/hostname
"$LAB_BUSYBOX" ifconfig lo 127.0.0.1 up
grep -q '\blocalhost\b' /etc/hosts || echo "127.0.0.1 localhost" >>/etc/hosts

# What the command says goes out through virtio ports, or serial lines that pass on every byte as it is.
if [ "$LAB_MACHINE" = um ]; then
  terminal=/dev/tty0
  port() { case $1 in lab.stdout) echo /dev/ttyS0 ;; lab.stderr) echo /dev/ttyS1 ;; esac; }
  [ -n "$LAB_INTERACTIVE" ] || for line in stdout stderr; do stty raw <"$(port lab.$line)"; done
else
  terminal=/dev/hvc0
  port() { # the device of the virtio port of this name
    for port in /sys/class/virtio-ports/*; do
      if [ "$(cat "$port/name")" = "$1" ]; then echo "/dev/${port##*/}"; fi
    done
  }
  # The machine does not outlive the program that started it: its end closes this port.
  (
    exec 9<"$(port lab.alive)"
    until read -r _ <&9; do sleep 1; done
    cat <&9 >/dev/null
    finish
  ) &
fi

for module in configfs target_core_mod target_core_file tcm_loop sd_mod sg; do
  modprobe $module || fail "cannot load the module $module"
done
mount -t configfs configfs /sys/kernel/config
[ "$(command -v deno)" = "$LAB_DENO" ] || ln -sf "$LAB_DENO" /usr/local/bin/deno
printf '#!/bin/sh\nexec "%s" run -A --no-check --cached-only "%s/main.ts" "$@"\n' "$LAB_DENO" "$LAB_REPO" \
  >/usr/local/bin/prmig
chmod 755 /usr/local/bin/prmig

. /lab-out/environment.sh
[ -z "$LAB_LUNS" ] || deno run -A --no-check --cached-only "$LAB_REPO/tests/lab/init/luns.ts" >/run/luns.log 2>&1 ||
  fail "cannot set up the LUNs: $(cat /run/luns.log)"

: >/lab-out/started
if [ -n "$LAB_INTERACTIVE" ]; then
  setsid -c sh /lab-out/command.sh <>$terminal >&0 2>&1
  echo $? >/lab-out/exit-code
  finish
fi
mkfifo /run/stdout /run/stderr
cat /run/stdout >"$(port lab.stdout)" &
out=$!
cat /run/stderr >"$(port lab.stderr)" &
err=$!
in=$(port lab.stdin)
sh /lab-out/command.sh <"${in:-/dev/null}" >/run/stdout 2>/run/stderr
code=$?
# All it wrote goes out first. What it left running may hold its output open, and is not waited for.
(sleep 2; kill $out $err) 2>/dev/null &
wait $out $err
echo $code >/lab-out/exit-code
finish
