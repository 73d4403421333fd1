"""Invoices know what was paid of them, refunds what a person did about them, the events cursor what never reached us"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WAITS = "state = 'needs_manual' OR (external AND answered_at IS NULL)"


def upgrade() -> None:
    op.add_column("invoices", sa.Column("paid", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE invoices SET paid = total WHERE state = 'paid' OR (state = 'credited' AND EXISTS"
        " (SELECT 1 FROM payments WHERE payments.order_id = invoices.order_id AND payments.role = 'settles'))"
    )
    op.create_check_constraint(op.f("ck_invoices_paid"), "invoices", "paid BETWEEN 0 AND total")
    op.add_column("refunds", sa.Column("answer", sa.Text(), server_default="", nullable=False))
    op.add_column("refunds", sa.Column("answer_reference", sa.String(length=120), server_default="", nullable=False))
    op.add_column("refunds", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_refunds_waiting", "refunds", ["id"], postgresql_where=sa.text(WAITS))
    op.add_column("stripe_cursors", sa.Column("undelivered", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("stripe_cursors", "undelivered")
    op.drop_index("ix_refunds_waiting", table_name="refunds", postgresql_where=sa.text(WAITS))
    op.drop_column("refunds", "answered_at")
    op.drop_column("refunds", "answer_reference")
    op.drop_column("refunds", "answer")
    op.drop_constraint(op.f("ck_invoices_paid"), "invoices", type_="check")
    op.drop_column("invoices", "paid")
