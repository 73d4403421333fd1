"""Offerings stand on the list, lengths are withdrawn, holds of slots remember their beginning"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("offering_lengths", sa.Column("offered", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("appointments", sa.Column("held_since", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_listings_dateless"), "listings", "(kind = 'offering') = (starts_at = ends_at)")
    op.create_index(
        "ix_listings_offerings", "listings", ["title", "id"], unique=False, postgresql_where=sa.text("kind = 'offering' AND listed")
    )


def downgrade() -> None:
    op.drop_index("ix_listings_offerings", table_name="listings", postgresql_where=sa.text("kind = 'offering' AND listed"))
    op.drop_constraint(op.f("ck_listings_dateless"), "listings", type_="check")
    op.drop_column("appointments", "held_since")
    op.drop_column("offering_lengths", "offered")
