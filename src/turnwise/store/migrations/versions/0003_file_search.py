"""File search stores, their documents, and the chunks that are searched for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

Position = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("uploads", sa.Column("document", sa.Text))
    op.create_table(
        "search_stores",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("embedding_model", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("search_stores_oldest", "search_stores", ["owner", "created", "id"])
    op.create_table(
        "documents",
        sa.Column("key", Position, primary_key=True),
        sa.Column("store_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("mime_type", sa.Text, nullable=False),
        sa.Column("size_bytes", Position, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("updated", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("chunking", sa.Text, nullable=False),
        sa.Column("blob", sa.Text),
        sa.Column("failure", sa.Text),
        sqlite_strict=True,
        sqlite_autoincrement=True,  # the key of a document that is gone may still be that of its chunks
    )
    op.create_index("documents_name", "documents", ["store_id", "id"], unique=True)
    op.create_index("documents_oldest", "documents", ["store_id", "created", "id"])
    op.create_index("documents_states", "documents", ["store_id", "state", "size_bytes"])
    op.create_index("documents_owner", "documents", ["owner", "state", "size_bytes"])
    pending = sa.text("state = 'STATE_PENDING'")
    op.create_index("documents_pending", "documents", ["created"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "deleted_documents",
        sa.Column("key", Position, primary_key=True, autoincrement=False),
        sa.Column("store_id", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "chunks",
        sa.Column("id", Position, primary_key=True, autoincrement=False),
        sa.Column("page", sa.Integer),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "vectors",
        sa.Column("document", Position, primary_key=True, autoincrement=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    if op.get_context().dialect.name == "postgresql":
        # What words chunks have, by their ids.
        op.create_table(
            "chunk_words",
            sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("words", postgresql.TSVECTOR, nullable=False),
            postgresql_with={"toast_tuple_target": 8160},
        )
        # Ranking reads them again and again: they lie as they are, in their rows, if they have room there.
        op.execute("ALTER TABLE chunk_words ALTER COLUMN words SET STORAGE EXTERNAL")
        op.create_index("chunk_words_words", "chunk_words", ["words"], postgresql_using="gin")
    else:
        # It has no text of its own (content=''): that is in `chunks`.
        op.execute(
            "CREATE VIRTUAL TABLE chunk_words USING fts5"
            "(store, title, words, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
