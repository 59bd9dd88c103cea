"""Config files judged in a process of their own: what a file can do to a parser, it does there. I/O: processes, files.

The process is spawned for one judgement: nothing of it stays in memory, and a fork after threads is never made.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from feeds.errors import ConfigError
from feeds.settings import Config, ConfigErrors, load_config

TIMEOUT_S = 120.0
MEMORY_BYTES = 4 << 30


def judge(folder: Path, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> Config | ConfigErrors:
    """Give the Config that the files in *folder* say, or all their errors. Never raises for what the files hold."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_judge, args=(theirs, folder, dict(environ), os.getpid()), name="judge", daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(timeout_s):
            return _lost(folder, f"judging the files took more than {timeout_s:.0f} seconds and was ended")
        verdict = ours.recv()
    except EOFError:
        return _lost(
            folder,
            f"the process that judged the files ended without an answer, most likely at its limit of "
            f"{MEMORY_BYTES >> 30} GiB",
        )
    finally:
        ours.close()
        process.kill()
        process.join()
    assert isinstance(verdict, Config | ConfigErrors)
    return verdict


def _lost(folder: Path, cause: str) -> ConfigErrors:
    return ConfigErrors([ConfigError(cause, file=str(folder), remedy="make them smaller: `wiredesk check` times it")])


def _judge(answer: Connection, folder: Path, environ: Mapping[str, str], parent: int) -> None:
    from feeds.engine.lifeline import end_with_parent

    end_with_parent(parent)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        verdict: Config | ConfigErrors = load_config(folder, environ)
    except ConfigErrors as errors:
        verdict = errors
    answer.send(verdict)
    answer.close()
