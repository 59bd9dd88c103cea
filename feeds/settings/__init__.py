"""The config files → Settings, Sections and Sources, every error at once. I/O: reads the config folder.

    bytes -> nodes with line and column (yamltext) -> judged by tables of keys (desk, tree, rules, sources) -> Config

Nothing of a config with an error ever leaves this room. `schema` gives the same tables as JSON Schema.
"""

from feeds.settings.credentials import masked_headers, resolve_secrets
from feeds.settings.files import fingerprint
from feeds.settings.load import judged_before, load_config
from feeds.settings.reports import ConfigErrors, ConfigWarning, first_lines
from feeds.settings.stored import Config, config_from_json, config_to_json

__all__ = [
    "Config",
    "ConfigErrors",
    "ConfigWarning",
    "config_from_json",
    "config_to_json",
    "fingerprint",
    "first_lines",
    "judged_before",
    "load_config",
    "masked_headers",
    "resolve_secrets",
]
