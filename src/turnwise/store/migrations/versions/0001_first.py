"""Interactions, the journal of their events, and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("previous_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("usage", sa.Text),
        sa.Column("failure", sa.Text),
        sqlite_strict=True,
    )
    _partial_index("interactions_previous", "previous_id", "previous_id IS NOT NULL")
    _partial_index("interactions_unfinished", "created", "status = 'in_progress'")
    op.create_table(
        "events",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seq", Position, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("revoked", sa.Text),
        sqlite_strict=True,
    )


def _partial_index(name: str, column: str, where: str) -> None:
    op.create_index(name, "interactions", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
