"""`python impatient.py ARGUMENTS`: the command line, whose parent process waits SILENT_S for a sign of life."""

from __future__ import annotations

from feeds.cli import main
from feeds.engine.liveness import Signs

SILENT_S = 8.0

if __name__ == "__main__":
    defaults = Signs.__init__.__kwdefaults__
    assert defaults is not None and defaults["silent_s"] > SILENT_S
    defaults["silent_s"] = SILENT_S
    main()
