"""The revisions of the schema, and what Alembic needs to run them; ``engine.schema`` is the one who does."""
