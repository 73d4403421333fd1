"""The check of the whole book reads one index, in order"""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_postings_entry", "postings", ["entry_id", "currency"], postgresql_include=["amount"])
    op.drop_index(op.f("ix_postings_entry_id"), table_name="postings")


def downgrade() -> None:
    op.create_index(op.f("ix_postings_entry_id"), "postings", ["entry_id"])
    op.drop_index("ix_postings_entry", table_name="postings")
