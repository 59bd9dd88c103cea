"""The step file: an entry + the section tree → its sections, each with the reason. Pure."""

from feeds.filing.cabinet import Cabinet

__all__ = ["Cabinet"]
