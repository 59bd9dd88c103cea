"""The command line: parse arguments, call a flow, print. Thin; each command has its file and imports what it needs.

Exit codes: 0 done, 1 it did not work (a DeskError, told in one line), 2 wrong usage, 78 config files with errors.
"""

from feeds.cli.root import main

__all__ = ["main"]
