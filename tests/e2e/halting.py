"""`python halting.py ARGUMENTS`: the command line, which halts in a publication while there is the file of HALT.

By then it has written the documents, and not committed them; a file `reached` beside it says so.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from feeds.cli import main
from feeds.store.documents import Documents

_replace = Documents.replace


def replace(self: Documents, made: Any) -> int:
    done = _replace(self, made)
    halt = Path(os.environ["HALT"])
    if made and halt.exists():
        halt.with_name("reached").touch()
        while halt.exists():
            time.sleep(0.01)
    return done


if __name__ in ("__main__", "__mp_main__"):
    Documents.replace = replace  # type: ignore[method-assign]

if __name__ == "__main__":
    main()
