#!/bin/sh
# What an operator would write in place of `prmig migrate`: sends a QEMU guest elsewhere, and moves its reservation while
# it stands still. One socat for the whole conversation.
#
#   [REMOTE='ssh ... dst'] migrate_guest.sh bare|same QMP URI SRC DST KEY TYPE
#
# SRC and DST are the LUN here and on the destination; REMOTE a shell there, best over a connection that is open already.
#
#   bare    REGISTER and PREEMPT at the destination. No look before or after, no way back.
#   same    the steps of prmig: the destination is registered beforehand; then a look at the source, REGISTER of a token
#           there, PREEMPT of the token at the destination, a look from either side. It writes nothing down, and does not
#           go back.
set -eu
steps=$1 qmp=$2 uri=$3 src=$4 dst=$5 key=$6 type=$7 remote=${REMOTE:-eval}
token=0x70726d6700000001

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

pr='sg_persist --no-inquiry'
# A nexus that was preempted says so before it answers anything (sg_persist: exit 6).
look() { $pr --in --read-full-status "$src" || { [ $? = 6 ] && $pr --in --read-full-status "$src"; }; }
expect_holder() {
    case $1 in
        *"Key=$key"*'<< Reservation holder >>'*) return ;;
    esac
    printf 'the guest does not hold:\n%s\n' "$1" >&2
    exit 1
}

prepare_bare() { :; }
prepare_same() { $remote "$pr --out --register --param-sark=$key $dst"; }
switch_bare() {
    $remote "$pr --out --register --param-sark=$key $dst &&
        $pr --out --preempt --param-sark=$key --param-rk=$key --prout-type=$type $dst"
}
switch_same() {
    expect_holder "$(look)"
    $pr --out --register --param-rk=$key --param-sark=$token "$src"
    expect_holder "$($remote "$pr --out --preempt --param-rk=$key --param-sark=$token --prout-type=$type $dst &&
        $pr --in --read-full-status $dst")"
    expect_holder "$(look)"
}

tell '{"execute":"qmp_capabilities"}'
until_told '"return"'
"prepare_$steps"
tell '{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true},{"capability":"pause-before-switchover","state":true}]}}'
until_told '"return"'
tell "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"$uri\"}}"
until_told '"pre-switchover"'

# The guest stands still.
"switch_$steps"
tell '{"execute":"migrate-continue","arguments":{"state":"pre-switchover"}}'

until_told '"completed"'
