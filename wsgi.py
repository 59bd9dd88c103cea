"""The web application for any WSGI server: `granian --interface wsgi wsgi:app`, or `wiredesk web` which does the same.

WIREDESK_DATABASE names the store, else the folder WIREDESK_DATA (`var/`) holds it.
"""

import os

from feeds.serve import create_app, store_url_from

app = create_app(store_url_from(os.environ))
