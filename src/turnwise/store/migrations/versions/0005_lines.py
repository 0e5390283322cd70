"""An index of what a walk along a chain looks at, in place of one that nothing asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index(
        "interactions_previous",
        "interactions",
        sqlite_where=sa.text("previous_id IS NOT NULL"),
        postgresql_where=sa.text("previous_id IS NOT NULL"),
    )
    if op.get_context().dialect.name == "sqlite":
        columns = ["id", "owner", "previous_id", "status", "updated"]
        op.create_index("interactions_line", "interactions", columns)
