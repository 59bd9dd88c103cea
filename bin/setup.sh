# Sourced by bin/run and bin/test: a Python, a virtual environment, the locked requirements (see bin/lock). POSIX sh.
# wants: $root; gives: $python (inside the environment). Says one clear line and exits 1 where it can't.

say() { printf '%s\n' "$*" >&2; }
fail() { say "wiredesk: $*"; exit 1; }

find_python() {
    for candidate in "${WIREDESK_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# setup FILE: makes .venv hold what requirements FILE names; does nothing when it already does.
setup() {
    requirements=$root/$1
    venv=${WIREDESK_VENV:-$root/.venv}
    python=$venv/bin/python
    stamp=$venv/.wiredesk-$1
    if [ -x "$python" ] && cmp -s "$requirements" "$stamp"; then
        return 0
    fi
    base=$(find_python) || fail "Python 3.11 or newer is not on this machine; install it (Debian: apt install python3 python3-venv), or name one in WIREDESK_PYTHON"
    if [ ! -x "$python" ] || ! "$python" -m pip --version >/dev/null 2>&1; then
        say "Making a virtual environment in $venv ($("$base" -V 2>&1)) ..."
        if ! reason=$("$base" -m venv "$venv" 2>&1); then
            # A half-made environment would look whole at the next start.
            [ -f "$venv/pyvenv.cfg" ] && rm -rf "$venv"
            case $reason in
                *ensurepip*) fail "$base can't make virtual environments; install its venv package (Debian and Ubuntu: apt install python3-venv) and start again" ;;
                *"ermission denied"*) fail "can't write $venv; make $(dirname "$venv") writable for $(id -un), or name another folder in WIREDESK_VENV" ;;
                *) fail "could not make $venv: $(printf '%s' "$reason" | tail -n 1)" ;;
            esac
        fi
    fi
    say "Installing $1 ..."
    if ! "$python" -m pip install --quiet --quiet --disable-pip-version-check --no-input -r "$requirements"; then
        fail "could not install $requirements (pip says why above); check the network or the package index and start again"
    fi
    cp "$requirements" "$stamp"
}
