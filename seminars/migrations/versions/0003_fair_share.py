"""Carts remember whose they are for a day, holds since when their seats are held"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("carts", sa.Column("client", sa.String(length=32), server_default="", nullable=False))
    op.create_index("ix_carts_client", "carts", ["client"], postgresql_where=sa.text("client <> ''"))
    op.add_column("holds", sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False))
    op.execute("UPDATE holds SET since = created_at")


def downgrade() -> None:
    op.drop_column("holds", "since")
    op.drop_index("ix_carts_client", "carts")
    op.drop_column("carts", "client")
