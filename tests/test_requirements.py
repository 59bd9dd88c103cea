"""What the package imports is declared in pyproject.toml, and the requirements files are made from it."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCK: dict[str, Any] = runpy.run_path(str(ROOT / "bin" / "lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; .*?)? \\$", re.MULTILINE)


def declared(extra: str = "") -> list[Requirement]:
    """What pyproject.toml asks for on this machine, with what *extra* adds."""
    wanted = [Requirement(each) for each in [*PROJECT["dependencies"], *(EXTRAS[extra] if extra else ())]]
    own = [each for each in wanted if each.name == PROJECT["name"]]
    wanted += [each for requirement in own for name in requirement.extras for each in declared(name)]
    return [each for each in wanted if each not in own and (each.marker is None or each.marker.evaluate())]


def pinned(file: str) -> dict[str, set[Version]]:
    """The versions in the requirements *file*, by canonical name; several where platforms need several."""
    found: dict[str, set[Version]] = {}
    for name, version in PIN.findall((ROOT / file).read_text(encoding="utf-8")):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


@cache
def needed(name: str, extras: frozenset[str] = frozenset()) -> frozenset[str]:
    """What distribution *name* needs, all the way down."""
    found = {canonicalize_name(name)}
    for line in requires(name) or ():
        each = Requirement(line)
        environments = [{"extra": extra} for extra in extras or {""}]
        if each.marker is None or any(each.marker.evaluate(environment) for environment in environments):
            found |= needed(each.name, frozenset(each.extras))
    return frozenset(found)


def imported() -> dict[str, str]:
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


def test_every_import_is_declared() -> None:
    distributions = packages_distributions()
    names = {canonicalize_name(each.name) for extra in ("", "learn", "postgres") for each in declared(extra)}
    missing = {}
    for module, file in imported().items():
        if module in ("feeds", "_typeshed") or module in sys.stdlib_module_names:
            continue
        if not names & {canonicalize_name(name) for name in distributions.get(module, [module])}:
            missing[module] = file
    assert missing == {}


@pytest.mark.parametrize("file", LOCK["FILES"])
def test_a_requirements_file_is_the_one_that_pyproject_makes(file: str) -> None:
    extra, _ = LOCK["FILES"][file]
    assert (ROOT / file).read_text(encoding="utf-8").startswith(LOCK["heading"](file)), "run bin/lock"
    pins = pinned(file)
    for each in declared(extra):
        versions = pins.get(canonicalize_name(each.name), set())
        assert versions and all(each.specifier.contains(version) for version in versions), f"{each}: run bin/lock"
    wanted = set().union(*(needed(each.name, frozenset(each.extras)) for each in declared(extra)))
    assert wanted <= pins.keys(), "what a requirement needs is pinned too"


@pytest.mark.parametrize("file", LOCK["FILES"])
def test_every_requirement_is_pinned_with_its_hashes(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(PIN.findall(text)) > 30
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text, "no file names a registry"


def test_files_agree_on_versions() -> None:
    whole = pinned("requirements-dev.txt")
    for file in LOCK["FILES"]:
        assert {name: found for name, found in pinned(file).items() if not found <= whole[name]} == {}
