"""One module for each change of the schema, in order; one that has shipped is never edited again. I/O: database."""
