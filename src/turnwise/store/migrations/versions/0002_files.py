"""Files, uploads, and blobs that nothing names any more."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("blob", sa.Text, nullable=False),
        sa.Column("mime_type", sa.Text, nullable=False),
        sa.Column("size_bytes", Position, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("files_newest", "files", ["owner", "created", "id"])
    op.create_index("files_expires", "files", ["expires"])
    processing = sa.text("state = 'PROCESSING'")
    op.create_index("files_processing", "files", ["created"], sqlite_where=processing, postgresql_where=processing)
    op.create_table(
        "uploads",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("blob", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("mime_type", sa.Text, nullable=False),
        sa.Column("size_bytes", Position),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("reserved", Position, nullable=False),
        sa.Column("file_id", sa.Text),
        sqlite_strict=True,
    )
    op.create_index("uploads_owner", "uploads", ["owner"])
    op.create_index("uploads_expires", "uploads", ["expires"])
    op.create_table("litter", sa.Column("blob", sa.Text, primary_key=True), sqlite_strict=True)
