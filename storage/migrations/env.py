"""Alembic's environment: runs on the connection that the program hands over."""

from alembic import context

from storage.models import ALL

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=ALL, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
