"""The migrations: `versions/` in their order, `env.py` for Alembic, and `head.sql`, which is their sum."""
