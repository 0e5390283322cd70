"""What Alembic runs to migrate: on the connection that `migrate.py` hands over, in its transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles

from turnwise.store.tables import is_ours, metadata


@compiles(Text, "postgresql")
def _compile_text(type: Text, compiler: Any, **options: Any) -> str:
    # By their bytes, as in SQLite: ids, times and places in lists mean the same in whatever language the server speaks.
    return 'TEXT COLLATE "C"'


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=is_ours,
    render_as_batch=True,  # SQLite can change a table only by making it anew
)
context.run_migrations()
