"""The last step of the path: what readers, aggregators and browsers ask is answered from what is published.

A request never fetches, parses or renders: section documents are finished bytes, pages are drawn from stored articles.
`app.create_app` gives the Flask application, with finished answers in front of its views. Nothing is imported here: who
only counts (`counters`) needs neither Flask nor views.
"""
