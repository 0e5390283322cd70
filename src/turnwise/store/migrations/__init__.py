"""The migrations of the database: `versions/` in their order, `env.py` for Alembic, `head.sql` as their sum."""
