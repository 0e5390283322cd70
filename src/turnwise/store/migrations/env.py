"""What Alembic runs to migrate: on the connection that `migrate.py` hands over, in its transaction."""

from alembic import context

from turnwise.store.tables import is_ours, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=is_ours,
    render_as_batch=True,  # SQLite can change a table only by making it anew
)
context.run_migrations()
