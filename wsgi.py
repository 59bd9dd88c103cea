"""The Flask application for any WSGI server (`granian --interface wsgi wsgi:app`, `gunicorn wsgi:app`) and for Flask's
own commands (`flask --app wsgi routes`); `wiredesk web` serves the same.

WIREDESK_DATABASE names the store, else the folder WIREDESK_DATA (`var/`) holds it.
"""

import os

from feeds.serve.app import create_app, store_url_from

app = create_app(store_url_from(os.environ))
