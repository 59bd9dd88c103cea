"""What the package imports is what requirements.txt pins: a library installed by hand hides a missing line."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONAL = {"psycopg", "safetensors", "scikit-learn", "scipy", "tokenizers"}
"""Extras: imported where their profile is used, pinned in requirements files of their own."""


def _pinned(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = {re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line and not line.startswith(("#", "-"))}
    return {match[0].lower().replace("_", "-").replace(".", "-") for match in found if match}


def _imported() -> dict[str, str]:
    """Top-level modules that the package imports, with a file that does."""
    modules: dict[str, str] = {}
    for path in (ROOT / "feeds").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                modules.setdefault(name.partition(".")[0], str(path.relative_to(ROOT)))
    return modules


def test_every_import_is_pinned() -> None:
    distributions = packages_distributions()
    pinned = _pinned("requirements.txt")
    missing = {}
    for module, file in _imported().items():
        if module in ("feeds", "_typeshed") or module in sys.stdlib_module_names:
            continue
        names = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        if not names & (pinned | OPTIONAL):
            missing[module] = file
    assert missing == {}


def test_every_pin_is_exact() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[^=\s]+", line), line
