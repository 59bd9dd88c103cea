"""The flow from changed sections to checked documents that replace the last good ones. Knows the order of the steps."""

from feeds.publish.flow import Published, Publisher, publish

__all__ = ["Published", "Publisher", "publish"]
