# Sourced by bin/run and its neighbours: a Python, a virtual environment, the locked requirements (see bin/lock). POSIX sh.
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

# make_environment: an empty one in $venv, where there is none that works.
make_environment() {
    base=$(find_python) || fail "Python 3.11 or newer is not on this machine; install it (Debian: apt install python3 python3-venv), or name one in WIREDESK_PYTHON"
    "$python" -c '' 2>/dev/null && return 0
    say "Making a virtual environment in $venv ($("$base" -V 2>&1)) ..."
    was_there=no
    [ -e "$venv" ] && was_there=yes
    if ! reason=$("$base" -m venv --without-pip "$venv" 2>&1); then
        # A half-made environment would look whole at the next start; one that was there before is not ours to delete.
        [ "$was_there" = no ] && rm -rf "$venv"
        case $reason in
            *ensurepip* | *"No module named venv"*) fail "$base can't make virtual environments; install its venv package (Debian and Ubuntu: apt install python3-venv) and start again" ;;
            *"ermission denied"*) fail "can't write $venv; make $(dirname "$venv") writable for $(id -un), or name another folder in WIREDESK_VENV" ;;
            *) fail "could not make $venv: $(printf '%s' "$reason" | tail -n 1)" ;;
        esac
    fi
}

# find_uv: prints the path of an installer several times faster than pip: the machine's own, or the locked one, put into $tools.
find_uv() {
    command -v uv && return 0
    "$base" -m pip --version >/dev/null 2>&1 || return 1
    # Its lines of the lock file: the version and its hashes, up to the first line that does not go on.
    awk '/^uv==/ { found = 1 } found { print } found && !/\\$/ { exit }' "$root/requirements-dev.txt" >"$tools/uv.txt"
    "$base" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
        --target "$tools/uv" -r "$tools/uv.txt" >"$tools/log" 2>&1 || return 1
    printf '%s\n' "$tools/uv/bin/uv"
}

# install_with_uv: fails where there is no uv, or where it can't install.
install_with_uv() {
    uv=$(find_uv) || return 1
    quiet=--quiet
    [ -t 2 ] && quiet=
    # An index that the machine's pip is told to use holds for uv too.
    index=$("$base" -m pip config get global.index-url 2>/dev/null) || index=
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    "$uv" pip install $quiet --python "$python" --require-hashes -r "$requirements"
}

install_with_pip() {
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null 2>&1 ||
        fail "$python has no pip; install Python's venv package (Debian and Ubuntu: apt install python3-venv) and start again"
    quiet=--quiet
    [ -t 2 ] && quiet=--progress-bar=on
    "$python" -m pip install $quiet --disable-pip-version-check --no-input --retries 2 -r "$requirements" >&2
}

# ticking: says every quarter of a minute that it goes on; its process is in $ticker.
ticking() {
    (while sleep 15 && kill -0 $$ 2>/dev/null; do say "... still installing"; done) &
    ticker=$!
}

# setup FILE: makes $venv hold what requirements FILE names; does nothing when it already does.
setup() {
    requirements=$root/$1
    venv=${WIREDESK_VENV:-$root/.venv}
    python=$venv/bin/python
    stamp=$venv/.wiredesk-$1
    if [ -x "$python" ] && cmp -s "$requirements" "$stamp"; then
        return 0
    fi
    make_environment
    count=$(grep -c '^[A-Za-z0-9]' "$requirements")
    say "Installing the $count packages of $1 (once, under a minute on most machines) ..."
    tools=$(mktemp -d)
    ticking
    if install_with_uv; then installed=yes; else
        say "... with pip, as uv could not do it; this takes a while longer ..."
        if install_with_pip; then installed=yes; else installed=no; fi
    fi
    kill "$ticker" 2>/dev/null
    rm -rf "$tools"
    [ $installed = yes ] || fail "could not install the packages (pip says why above): most likely this machine has no network, or a proxy is in the way; check the network or the package index and start again"
    cp "$requirements" "$stamp"
    say "Installed."
}
