"""The step file: an entry + the section tree → its sections, each with the reason. Pure."""

from feeds.filing.tree import FilingRules

__all__ = ["FilingRules"]
