# bash completion for prmig; made from the definitions of the commands, not to be edited.

_prmig_devices() {
    local node
    for node in /dev/sd* /dev/sg* /dev/mapper/* /dev/disk/by-id/* /dev/disk/by-path/*; do
        [[ -e $node && $node != /dev/mapper/control && $node == "$1"* ]] && COMPREPLY+=("$node")
    done
    # A path of one's own, and the file of a simulated LUN.
    if [[ $1 != /dev/* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$1")
    fi
    [[ -n $1 && sim: == "$1"* ]] && { compopt -o nospace; COMPREPLY+=(sim:); }
}

_prmig_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_prmig_words() {
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

_prmig() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i
    # Bash takes --option=value and sim:FILE apart at = and :
    if [[ $cur == [=:] ]]; then
        cur=
    fi
    if [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $prev == : ]]; then
        prev=
    fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
    done
    case $command:$prev in
    dump:--timeout) return ;;
    watch:--poll) return ;;
    watch:--until) return ;;
    watch:--timeout) return ;;
    timeline:--output | timeline:-o) _prmig_files "$cur"; return ;;
    snoop:--socket | snoop:-k) _prmig_files "$cur"; return ;;
    snoop:--mode) return ;;
    snoop:--socket-group) mapfile -t COMPREPLY < <(compgen -g -- "$cur"); return ;;
    snoop:--pidfile | snoop:-f) _prmig_files "$cur"; return ;;
    snoop:--user | snoop:-u) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
    snoop:--group | snoop:-g) mapfile -t COMPREPLY < <(compgen -g -- "$cur"); return ;;
    snoop:--metrics) _prmig_files "$cur"; return ;;
    snoop:--timeout) return ;;
    snoop:--max-clients) return ;;
    snoop:--trace | snoop:-T) return ;;
    check:--timeout) return ;;
    qualify:--scratch) return ;;
    qualify:--junit) _prmig_files "$cur"; return ;;
    qualify:--html) _prmig_files "$cur"; return ;;
    qualify:--ssh) return ;;
    qualify:--timeout) return ;;
    send:--to) return ;;
    send:--connect) _prmig_words "$cur" "unix: tcp:"; return ;;
    send:--method) _prmig_words "$cur" "token plain"; return ;;
    send:--key) return ;;
    send:--tls-cert) _prmig_files "$cur"; return ;;
    send:--tls-key) _prmig_files "$cur"; return ;;
    send:--tls-ca) _prmig_files "$cur"; return ;;
    send:--timeout) return ;;
    recv:--listen) _prmig_words "$cur" "unix: tcp:"; return ;;
    recv:--tls-cert) _prmig_files "$cur"; return ;;
    recv:--tls-key) _prmig_files "$cur"; return ;;
    recv:--tls-ca) _prmig_files "$cur"; return ;;
    recv:--timeout) return ;;
    migrate:--qmp) return ;;
    migrate:--to) return ;;
    migrate:--dst-qmp) return ;;
    migrate:--uri) return ;;
    migrate:--gate) _prmig_words "$cur" "paused completed switchover"; return ;;
    migrate:--disk) return ;;
    migrate:--key) return ;;
    migrate:--tls-cert) _prmig_files "$cur"; return ;;
    migrate:--tls-key) _prmig_files "$cur"; return ;;
    migrate:--tls-ca) _prmig_files "$cur"; return ;;
    migrate:--timeout) return ;;
    recover:--timeout) return ;;
    rollback:--timeout) return ;;
    preempt:--key) return ;;
    preempt:--type) _prmig_words "$cur" "1 WE 3 EA 5 WE-RO 6 EA-RO 7 WE-AR 8 EA-AR"; return ;;
    preempt:--own-key) return ;;
    preempt:--timeout) return ;;
    qualify-relay:--silence) return ;;
    explain:--as) _prmig_words "$cur" "cdb sense capabilities full-status reservation keys transport-id parameters move-parameters key status other-cdb"; return ;;
    esac
    if [[ $cur == -* ]]; then
        case $command in
        dump) _prmig_words "$cur" "--all --timeout --json --verbose -v --help -h" ;;
        watch) _prmig_words "$cur" "--poll --once --until --timeout --json --verbose -v --help -h" ;;
        timeline) _prmig_words "$cur" "--output -o --json --verbose -v --help -h" ;;
        snoop) _prmig_words "$cur" "--socket -k --mode --socket-group --pidfile -f --daemon -d --user -u --group -g --no-mask --metrics --timeout --max-clients --trace -T --quiet -q --version -V --json --verbose -v --help -h" ;;
        check) _prmig_words "$cur" "--timeout --json --verbose -v --help -h" ;;
        qualify) _prmig_words "$cur" "--scratch --junit --html --ssh --timeout --json --verbose -v --help -h" ;;
        send) _prmig_words "$cur" "--to --connect --method --key --tls-cert --tls-key --tls-ca --timeout --json --verbose -v --help -h" ;;
        recv) _prmig_words "$cur" "--listen --dry-run --tls-cert --tls-key --tls-ca --timeout --json --verbose -v --help -h" ;;
        migrate) _prmig_words "$cur" "--qmp --to --dst-qmp --uri --gate --disk --key --tls-cert --tls-key --tls-ca --timeout --json --verbose -v --help -h" ;;
        recover) _prmig_words "$cur" "--list --timeout --json --verbose -v --help -h" ;;
        rollback) _prmig_words "$cur" "--evict-shared --timeout --json --verbose -v --help -h" ;;
        preempt) _prmig_words "$cur" "--key --type --own-key --timeout --json --verbose -v --help -h" ;;
        qmp-relay) _prmig_words "$cur" "--json --verbose -v --help -h" ;;
        qualify-relay) _prmig_words "$cur" "--silence --json --verbose -v --help -h" ;;
        explain) _prmig_words "$cur" "--as --json --verbose -v --help -h" ;;
        demo) _prmig_words "$cur" "--json --verbose -v --help -h" ;;
        help) _prmig_words "$cur" "--json --verbose -v --help -h" ;;
        *) _prmig_words "$cur" "--json --verbose -v --help -h --version -V" ;;
        esac
        return
    fi
    case $command in
    "") _prmig_words "$cur" "dump watch timeline snoop check qualify send recv migrate recover rollback preempt qmp-relay qualify-relay explain demo help" ;;
    dump) _prmig_devices "$cur" ;;
    watch) _prmig_devices "$cur" ;;
    timeline) _prmig_files "$cur" ;;
    check) _prmig_devices "$cur" ;;
    qualify) _prmig_devices "$cur" ;;
    send) _prmig_devices "$cur" ;;
    recv) _prmig_devices "$cur" ;;
    preempt) _prmig_devices "$cur" ;;
    qualify-relay) _prmig_devices "$cur" ;;
    help) _prmig_words "$cur" "dump watch timeline snoop check qualify send recv migrate recover rollback preempt qmp-relay qualify-relay explain demo help concepts conflict addresses exit-codes keys files privileges stream" ;;
    esac
}

complete -F _prmig prmig
