"""The last step of the path: what readers, aggregators and browsers ask is answered from what is published.

A request never fetches, parses or renders: section documents are finished bytes, pages are drawn from stored articles.
`create_app` gives the Flask application, with finished answers in front of its views.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds.serve.app import answers_of, create_app, store_url_from

__all__ = ["answers_of", "create_app", "store_url_from"]


def __getattr__(name: str) -> Any:
    """Load Flask and the views with the first application: who only counts (`counters`) needs none of it."""
    if name not in __all__:
        raise AttributeError(name)
    from feeds.serve import app

    return getattr(app, name)
