"""Config files judged in a process of their own: what a file can do to a parser, it does there. I/O: processes, files.

The process is spawned for one judgement: nothing of it stays in memory, and a fork after threads is never made.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from feeds.engine.logs import set_up_logging
from feeds.errors import ConfigError
from feeds.settings import Config, ConfigErrors, load_config

log = logging.getLogger(__name__)

CPU_S = 120.0
TIMEOUT_S = 600.0
"""Of CPU, and of wall time: a busy machine makes a judgement late, not expensive."""
MEMORY_BYTES = 4 << 30


class Judge:
    """Says what the files in *folder* hold. For one thread."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        cpu_s: float = CPU_S,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self._cpu_s = cpu_s
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._ready: tuple[SpawnProcess, Connection] | None = None

    def warm(self) -> None:
        """Start the process that will judge: a start takes as long as a change takes to settle."""
        if self._ready is not None and self._ready[0].is_alive():
            return
        self.close()
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        arguments = (theirs, self._folder, self._environ, self._cpu_s, self._memory_bytes, os.getpid())
        process = spawn.Process(target=_judge, args=arguments, name="judge", daemon=True)
        process.start()
        theirs.close()
        self._ready = process, ours

    def judge(self) -> Config | ConfigErrors:
        """Give the Config that the files say now, or all their errors. Never raises for what the files hold."""
        self.warm()
        assert self._ready is not None
        process, pipe = self._ready
        try:
            pipe.send("judge")
            if not pipe.poll(self._timeout_s):
                return self._lost(f"judging the files took more than {self._timeout_s:.0f} seconds and was ended")
            verdict = pipe.recv()
        except (EOFError, OSError):
            process.join()
            if process.exitcode == -signal.SIGPROF:
                return self._lost(f"judging the files took more than {self._cpu_s:g} seconds of CPU time and was ended")
            limit = f"most likely at its limit of {self._memory_bytes >> 20} MiB"
            return self._lost(f"the process that judged the files ended without an answer, {limit}")
        finally:
            self.close()
        assert isinstance(verdict, Config | ConfigErrors)
        return verdict

    def close(self) -> None:
        """End the process, if one is waiting."""
        if self._ready is not None:
            process, pipe = self._ready
            pipe.close()
            process.kill()
            process.join()
            self._ready = None

    def _lost(self, cause: str) -> ConfigErrors:
        remedy = "make them smaller; `wiredesk check` judges them too"
        return ConfigErrors([ConfigError(cause, file=str(self._folder), remedy=remedy)])


def _judge(
    pipe: Connection, folder: Path, environ: Mapping[str, str], cpu_s: float, memory_bytes: int, parent: int
) -> None:
    from feeds.engine.lifeline import end_with_parent

    end_with_parent(parent)
    set_up_logging(environ)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    try:
        pipe.recv()
    except EOFError:
        return
    signal.setitimer(signal.ITIMER_PROF, cpu_s)  # SIGPROF ends a process that does not ask for it
    try:
        verdict: Config | ConfigErrors = load_config(folder, environ)
    except ConfigErrors as errors:
        verdict = errors
    except MemoryError:
        return
    except Exception:
        log.exception("a fault of ours judging the config files")
        return
    pipe.send(verdict)
