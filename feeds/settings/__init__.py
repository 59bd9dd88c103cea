"""The config files → Settings, Sections and Sources, every error at once. I/O: reads the config folder.

    bytes -> nodes with line and column (yamltext) -> judged by their keys (sections_file, match_rules, sources_file,
    opml_lists), then together (judging) -> Config

A key is declared once, as a field of the Structs in `feeds.configuration`: type, limits, unit, default and help.
Checks, messages and JSON Schema (`judging.schemas`) come from there. Nothing of a config with an error ever leaves this
room.
"""

from feeds.settings.config import (
    Config,
    config_from_json,
    config_to_json,
    differences,
    fingerprint,
    judged_before,
    load_config,
    masked_headers,
    resolve_secrets,
)
from feeds.settings.reports import ConfigErrors, ConfigWarning, first_lines

__all__ = [
    "Config",
    "ConfigErrors",
    "ConfigWarning",
    "config_from_json",
    "config_to_json",
    "differences",
    "fingerprint",
    "first_lines",
    "judged_before",
    "load_config",
    "masked_headers",
    "resolve_secrets",
]
