"""What fuzzing found stays mended: every input that is kept, and the seeds of each target, through `bench/fuzz.py`."""

from __future__ import annotations

import importlib.util
import logging
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench" / "fuzz.py"
MOST = 40
TARGETS = "feed document page listing sitemap date url markup hub config http".split()


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", BENCH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    path = sys.path[:]
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_and_the_seeds_pass(fuzz: ModuleType, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with fuzz.targets() as known:
        assert list(known) == TARGETS
        hunt = fuzz.Hunt(name, known[name], keep=False)
        bodies = fuzz.seeds(name)[:MOST]
        with suppress(Exception):
            known[name](bodies[0])  # what is loaded at a first use is no cost of an input
        for body in bodies:
            hunt.attempt(body)
    assert (hunt.tried > 0, hunt.failed) == (True, 0), capsys.readouterr().out


def test_what_raises_is_told_and_one_input_of_a_kind(fuzz: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def take(body: bytes) -> None:
        raise ValueError(body.decode())

    hunt = fuzz.Hunt("date", take, keep=False)
    for body in (b"a", b"a", b"b"):
        hunt.attempt(body)
    assert (hunt.tried, hunt.failed) == (3, 2)
    assert "ValueError: a" in capsys.readouterr().out
    assert not logging.root.manager.disable
