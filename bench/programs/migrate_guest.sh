#!/bin/sh
# What an operator would write in place of `prmig migrate`: sends a QEMU guest elsewhere, and moves its reservation while
# it stands still. One socat for the whole conversation. It takes nothing back, and does not look before or after.
#
#   [REMOTE='ssh ... dst'] migrate_guest.sh QMP URI DEV KEY TYPE
#
# DEV is the LUN on the destination; REMOTE a shell there, best over a connection that is open already.
set -eu
qmp=$1 uri=$2 dev=$3 key=$4 type=$5 remote=${REMOTE:-eval}

pipes=$(mktemp -d)
mkfifo "$pipes/to" "$pipes/from"
socat - "UNIX-CONNECT:$qmp" <"$pipes/to" >"$pipes/from" &
exec 3>"$pipes/to" 4<"$pipes/from"
rm -r "$pipes"

tell() { printf '%s\n' "$1" >&3; }
until_told() {
    while IFS= read -r line <&4; do
        case $line in
            *"$1"*) return ;;
            *'"error"'*) break ;;
        esac
    done
    printf 'waited for %s: %s\n' "$1" "$line" >&2
    exit 1
}
tell '{"execute":"qmp_capabilities"}'
until_told '"return"'
tell '{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true},{"capability":"pause-before-switchover","state":true}]}}'
until_told '"return"'
tell "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"$uri\"}}"
until_told '"pre-switchover"'

# The guest stands still.
pr="sg_persist --no-inquiry --out --param-sark=$key"
$remote "$pr --register $dev && $pr --preempt --param-rk=$key --prout-type=$type $dev"
tell '{"execute":"migrate-continue","arguments":{"state":"pre-switchover"}}'

until_told '"completed"'
