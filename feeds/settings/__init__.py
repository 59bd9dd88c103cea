"""The config files → Settings, Sections and Sources, every error at once. I/O: reads the config folder.

    bytes -> nodes with line and column (yamltext) -> judged by tables of keys -> Config
    tables: desk_file (wiredesk.yaml), section_tree and match_rules (sections.yaml), sources_file, opml_lists

Nothing of a config with an error ever leaves this room. `judging.schemas` gives the same tables as JSON Schema.
"""

from feeds.settings.load import fingerprint, judged_before, load_config
from feeds.settings.reports import ConfigErrors, ConfigWarning, first_lines
from feeds.settings.stored_config import Config, config_from_json, config_to_json, masked_headers, resolve_secrets

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
