"""What was billed before it was paid can be noted as paid, by the role that may change nothing else of an invoice"""

from collections.abc import Sequence

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FOR_THE_APP = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'seminars_app') THEN
    {} UPDATE (paid) ON invoices {} seminars_app;
  END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(FOR_THE_APP.format("GRANT", "TO"))


def downgrade() -> None:
    op.execute(FOR_THE_APP.format("REVOKE", "FROM"))
