"""What Alembic runs to bring a database from one release to the next. I/O: database."""
