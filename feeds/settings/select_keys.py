"""`select:` of a source: where on a page, or in JSON, its articles stand. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from lxml import etree
from yaml.nodes import Node

from feeds.configuration import Select, SourceKind
from feeds.conventions import xpath_of
from feeds.settings.forms import keys_of
from feeds.settings.reports import Report, Wrong, quote
from feeds.settings.types import Form, Key, Schema, Text, mapping_schema, read_mapping

_SHAPE: Schema = {"type": "string", "minLength": 1}
_NO_SELECTOR = ("date_format", "pages")
_CSS_REMEDY = "write CSS such as h2 > a, with @href for an attribute, or xpath: and an XPath"
_PATH_REMEDY = "write a JMESPath such as data.articles or author.name (jmespath.org)"


def _selector(text: str, report: Report) -> str:
    text = _some(text)
    try:
        # An unknown prefix or function shows only where it is asked for.
        etree.XPath(xpath_of(text))(etree.Element("x"))
    except (ValueError, etree.XPathError) as error:
        raise Wrong(f"{quote(text)} is no selector: {error}", _CSS_REMEDY) from error
    return text


def _path(text: str, report: Report) -> str:
    text = _some(text)
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise Wrong(f"{quote(text)} is no path: {_reason(error)}", _PATH_REMEDY) from error
    return text


def _reason(error: JMESPathError) -> str:
    """The first line of what the library says, which draws a picture below it."""
    return str(error).splitlines()[0].removeprefix("Invalid jmespath expression: ").rstrip(":").lower()


def _some(text: str) -> str:
    if not text:
        raise Wrong("an empty selector", "write one, or take the line out")
    if len(text) > 1000:
        raise Wrong(f"a selector of {len(text)} characters", "write at most 1000")
    return text


def _date_format(text: str, report: Report) -> str:
    try:
        moment = datetime(2001, 2, 3).strftime(text)  # noqa: DTZ001
        datetime.strptime(moment, text)  # noqa: DTZ007
    except ValueError as error:
        raise Wrong(f"{quote(text)} is no format of dates", "write such as %d.%m.%Y or %b %d, %Y") from error
    if "%" not in text:
        raise Wrong(f"{quote(text)} has no part of a date", "write such as %d.%m.%Y or %b %d, %Y")
    return text


def _keys(judge: Callable[[str, Report], str]) -> dict[str, Key]:
    """The keys that `Select` declares, each selector judged by *judge*."""
    keys = keys_of(Select)
    for name, key in keys.items():
        if name not in _NO_SELECTOR and isinstance(key.takes, Text):
            keys[name] = replace(key, takes=Form(judge, _SHAPE), required=name == "item")
    keys["date_format"] = replace(keys["date_format"], takes=Form(_date_format, _SHAPE))
    return keys


PAGE_KEYS = {name: key for name, key in _keys(_selector).items() if name != "script"}
"""What `select:` of a page takes."""
_OF_JSON = _keys(_path)
JSON_KEYS = {"items": _OF_JSON.pop("item"), **_OF_JSON, "script": _keys(_selector)["script"]}
"""What `select:` of JSON takes: JMESPath, but for where in a page the JSON stands."""


def judge_select(node: Node, kind: SourceKind, report: Report) -> Select | None:
    """Give what *node*, the `select:` of a source of *kind*, says; None where *report* now says what is wrong with it.

    Raises Wrong where it is no mapping.
    """
    errors = len(report.errors)
    read = read_mapping(node, JSON_KEYS if kind == "json" else PAGE_KEYS, report)
    values: dict[str, Any] = dict(read.values)
    if kind == "json" and "items" in values:
        values["item"] = values.pop("items")
    if len(report.errors) == errors and not {"title", "text"} & values.keys():
        report.error(node, "select: neither `title:` nor `text:`", "say where the headline of an article stands")
    return Select(**values) if len(report.errors) == errors else None


def select_schema() -> Schema:
    """The JSON Schema of `select:`, of a page or of JSON."""
    one = mapping_schema({**PAGE_KEYS, **JSON_KEYS})
    one["anyOf"] = [{"required": ["item"]}, {"required": ["items"]}]
    del one["required"]
    return one
