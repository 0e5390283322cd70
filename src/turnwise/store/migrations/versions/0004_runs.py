"""Runs with their leases, notices, resources and secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Seconds: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL, "sqlite")


def upgrade() -> None:
    runs = op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("until", Seconds),
        sa.Column("baggage", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},  # so that what a heartbeat changes stays on its page
    )
    _partial_index("runs_waiting", ["created", "id"], "carrier IS NULL")
    _partial_index("runs_carried", ["carrier"], "carrier IS NOT NULL")
    _have_what_was_left_wait(runs)
    op.drop_index("interactions_unfinished", "interactions")
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("due", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("notices_due", "notices", ["due"])
    op.create_table(
        "resources",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )


def _have_what_was_left_wait(runs: sa.Table) -> None:
    """What is in progress was left behind by a process that was killed: its first attempt, and a death."""
    interactions = sa.table("interactions", sa.column("id"), sa.column("created"), sa.column("status"))
    left = sa.select(interactions.c.id, interactions.c.created, sa.literal(1), sa.literal(1), sa.literal(b""))
    op.execute(
        runs.insert().from_select(
            ["id", "created", "attempt", "deaths", "baggage"], left.where(interactions.c.status == "in_progress")
        )
    )


def _partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "runs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
