"""The books refuse what would break them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CHART = (
    (1000, "Bank, operating", "asset", "debit"),
    (1050, "Stripe clearing", "asset", "debit"),
    (1060, "Payouts in transit", "asset", "debit"),
    (1100, "Accounts receivable", "asset", "debit"),
    (1110, "Unbilled services", "asset", "debit"),
    (1190, "Allowance for doubtful debts", "asset", "credit"),
    (1200, "Disputed funds held by the card scheme", "asset", "debit"),
    (1990, "FX position", "asset", "debit"),
    (2000, "Unapplied receipts", "liability", "credit"),
    (2050, "Refunds payable", "liability", "credit"),
    (2100, "Deferred revenue, seminars", "liability", "credit"),
    (2110, "Deferred revenue, memberships", "liability", "credit"),
    (2120, "Deferred revenue, consulting", "liability", "credit"),
    (2200, "Sales tax / VAT payable", "liability", "credit"),
    (2300, "Customer credit", "liability", "credit"),
    (2320, "Points liability, members", "liability", "credit"),
    (3000, "Opening balances / retained earnings", "equity", "credit"),
    (4000, "Seminar revenue", "revenue", "credit"),
    (4010, "Membership revenue", "revenue", "credit"),
    (4020, "Consulting revenue", "revenue", "credit"),
    (4030, "Cancellation fees", "revenue", "credit"),
    (4040, "Breakage", "revenue", "credit"),
    (4095, "Refunds after delivery", "revenue", "debit"),
    (5000, "Card processing fees", "expense", "debit"),
    (5010, "Dispute fees", "expense", "debit"),
    (5020, "Dispute losses", "expense", "debit"),
    (5030, "Bad debt", "expense", "debit"),
    (6800, "FX result", "expense", "debit"),
    (6900, "Rounding and small differences", "expense", "debit"),
)

# SQLSTATEs of our own: SB001 an entry that does not balance, SB002 a row that is kept for good, SB003 a closed month.
# Tables are named with their schema: a temporary table of the same name, made by whoever posts, would otherwise be asked instead.

MUST_BALANCE = """
CREATE FUNCTION entry_must_balance(entry bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  lines bigint;
  wrong text;
BEGIN
  SELECT count(*) INTO lines FROM public.postings WHERE entry_id = entry;
  IF lines < 2 THEN
    RAISE EXCEPTION 'journal entry % has % postings, it needs at least 2', entry, lines USING ERRCODE = 'SB001';
  END IF;
  SELECT currency || ' ' || sum(amount) INTO wrong
    FROM public.postings WHERE entry_id = entry GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal entry % is out of balance by %', entry, wrong USING ERRCODE = 'SB001';
  END IF;
END
$$
"""

ENTRY_BALANCES = """
CREATE FUNCTION journal_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.entry_must_balance(NEW.id);
  RETURN NULL;
END
$$
"""

POSTING_BALANCES = """
CREATE FUNCTION posting_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.entry_must_balance(NEW.entry_id);
  RETURN NULL;
END
$$
"""

# Lines added to an entry later would be an edit, even when they balance, and would pass by the check of its month.
POSTING_IS_BORN_WITH_ITS_ENTRY = """
CREATE FUNCTION posting_is_born_with_its_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM public.journal_entries WHERE id = NEW.entry_id AND posted_in = pg_current_xact_id()::text::bigint;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'journal entry % is closed: postings are written in the transaction of their entry', NEW.entry_id
      USING ERRCODE = 'SB002';
  END IF;
  RETURN NEW;
END
$$
"""

# Posters share a lock on the month, whoever closes it takes it alone: so a month is not closed under an entry that is still being
# written, also when the month has no row yet. The row is locked as well, for transactions that see an older snapshot.
ENTRY_NEEDS_OPEN_PERIOD = """
CREATE FUNCTION journal_entry_needs_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found_state text;
BEGIN
  NEW.posted_in := pg_current_xact_id()::text::bigint;
  PERFORM pg_advisory_xact_lock_shared(7308225, public.month_key(NEW.effective_on));
  SELECT state INTO found_state FROM public.periods
   WHERE month = date_trunc('month', NEW.effective_on)::date FOR SHARE;
  IF found_state = 'closed' THEN
    RAISE EXCEPTION 'the books of % are closed', to_char(NEW.effective_on, 'YYYY-MM') USING ERRCODE = 'SB003';
  END IF;
  RETURN NEW;
END
$$
"""

PERIOD_CLOSES_ALONE = """
CREATE FUNCTION period_closes_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'closed' THEN
    PERFORM pg_advisory_xact_lock(7308225, public.month_key(NEW.month));
  END IF;
  RETURN NEW;
END
$$
"""

MONTH_KEY = """
CREATE FUNCTION month_key(day date) RETURNS integer LANGUAGE sql IMMUTABLE AS
$$ SELECT extract(year FROM day)::integer * 12 + extract(month FROM day)::integer $$
"""

KEPT_FOR_GOOD = """
CREATE FUNCTION kept_for_good() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: its rows are kept as they are', TG_OP, TG_TABLE_NAME USING ERRCODE = 'SB002';
END
$$
"""

NUMBERS_RISE_BY_ONE = """
CREATE FUNCTION numbers_rise_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.next <> OLD.next + 1 OR NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.year <> OLD.year THEN
    RAISE EXCEPTION 'the numbers of a series rise by one' USING ERRCODE = 'SB002';
  END IF;
  RETURN NEW;
END
$$
"""

# Tables that are kept, with the columns that may still change.
KEPT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("journal_entries", ()),
    ("postings", ()),
    ("accounts", ("name",)),
    ("audit_entries", ()),
    ("invoices", ("state", "rendered_at")),
    ("invoice_lines", ("credited_net", "credited_tax")),
    ("revenue_shares", ("credited", "recognised")),
    ("credit_notes", ("rendered_at",)),
    ("documents", ()),
)

GRANTS = """
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['seminars_app', 'seminars_read'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON journal_entries, postings, accounts, audit_entries, invoices, invoice_lines,'
                     ' revenue_shares, credit_notes, documents FROM %I', role_name);
      EXECUTE format('REVOKE DELETE, TRUNCATE ON series, periods FROM %I', role_name);
      EXECUTE format('REVOKE INSERT ON accounts FROM %I', role_name);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'seminars_app') THEN
    GRANT UPDATE (state, rendered_at) ON invoices TO seminars_app;
    GRANT UPDATE (credited_net, credited_tax) ON invoice_lines TO seminars_app;
    GRANT UPDATE (credited, recognised) ON revenue_shares TO seminars_app;
    GRANT UPDATE (rendered_at) ON credit_notes TO seminars_app;
  END IF;
END
$$
"""


def upgrade() -> None:
    op.add_column(
        "journal_entries",
        sa.Column("posted_in", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False),
    )
    add_invoice_lines()
    accounts = sa.table("accounts", sa.column("number"), sa.column("name"), sa.column("type"), sa.column("normal_side"))
    op.bulk_insert(accounts, [dict(zip(("number", "name", "type", "normal_side"), row, strict=True)) for row in CHART])
    for function in (
        MONTH_KEY,
        MUST_BALANCE,
        ENTRY_BALANCES,
        POSTING_BALANCES,
        POSTING_IS_BORN_WITH_ITS_ENTRY,
        ENTRY_NEEDS_OPEN_PERIOD,
        PERIOD_CLOSES_ALONE,
        KEPT_FOR_GOOD,
        NUMBERS_RISE_BY_ONE,
    ):
        op.execute(function)
    op.execute(
        "CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON journal_entries"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_entry_balances()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER posting_balances AFTER INSERT ON postings"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION posting_balances()"
    )
    op.execute("CREATE TRIGGER born_with_entry BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION posting_is_born_with_its_entry()")
    op.execute(
        "CREATE TRIGGER open_period BEFORE INSERT ON journal_entries FOR EACH ROW EXECUTE FUNCTION journal_entry_needs_open_period()"
    )
    op.execute("CREATE TRIGGER closes_alone BEFORE INSERT OR UPDATE ON periods FOR EACH ROW EXECUTE FUNCTION period_closes_alone()")
    op.execute("CREATE TRIGGER rise_by_one BEFORE UPDATE ON series FOR EACH ROW EXECUTE FUNCTION numbers_rise_by_one()")
    for table, free in KEPT:
        keep(table, free)
    op.execute(GRANTS)


def add_invoice_lines() -> None:
    """What each seat costs, what of it is deferred for which session, and which documents are still to be rendered."""
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("credited_net", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credited_tax", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("net >= 0 AND tax >= 0", name=op.f("ck_invoice_lines_amounts")),
        sa.CheckConstraint("credited_net BETWEEN 0 AND net AND credited_tax BETWEEN 0 AND tax", name=op.f("ck_invoice_lines_credited")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id_invoices")),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name=op.f("fk_invoice_lines_registration_id_registrations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_invoice_lines_registration_id")),
    )
    op.create_index(op.f("ix_invoice_lines_invoice_id"), "invoice_lines", ["invoice_id"])
    op.create_table(
        "revenue_shares",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("credited", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recognised", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_revenue_shares_amount")),
        sa.CheckConstraint("credited >= 0 AND recognised >= 0 AND credited + recognised <= amount", name=op.f("ck_revenue_shares_used")),
        sa.ForeignKeyConstraint(["line_id"], ["invoice_lines.id"], name=op.f("fk_revenue_shares_line_id_invoice_lines")),
        sa.ForeignKeyConstraint(["session_id"], ["event_sessions.id"], name=op.f("fk_revenue_shares_session_id_event_sessions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revenue_shares")),
        sa.UniqueConstraint("line_id", "session_id", name=op.f("uq_revenue_shares_line_id_session_id")),
    )
    op.create_index("ix_revenue_shares_session", "revenue_shares", ["session_id", "recognised"])
    for table in ("invoices", "credit_notes"):
        op.add_column(table, sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True))
        op.create_index(f"ix_{table}_unrendered", table, ["id"], postgresql_where=sa.text("rendered_at IS NULL"))
    op.create_index("ix_invoices_issued_on", "invoices", ["issued_on", "id"])
    op.drop_constraint(op.f("ck_invoices_total"), "invoices")
    op.create_check_constraint(op.f("ck_invoices_total"), "invoices", "net + tax = total AND total > 0")


def keep(table: str, free: Sequence[str]) -> None:
    """Refuse deletion, and change of any column but the free ones, to everybody who has not the right to drop triggers."""
    if not free:
        op.execute(
            f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION kept_for_good()"
        )
        return
    columns = sa.inspect(op.get_bind()).get_columns(table)
    frozen = ", ".join(column["name"] for column in columns if column["name"] not in free)
    op.execute(f"CREATE TRIGGER kept_delete BEFORE DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION kept_for_good()")
    op.execute(f"CREATE TRIGGER kept_update BEFORE UPDATE OF {frozen} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION kept_for_good()")


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION numbers_rise_by_one, kept_for_good, period_closes_alone, journal_entry_needs_open_period,"
        " posting_is_born_with_its_entry, posting_balances, journal_entry_balances, entry_must_balance, month_key CASCADE"
    )
    op.drop_table("revenue_shares")
    op.drop_table("invoice_lines")
    op.drop_index("ix_invoices_issued_on", "invoices")
    for table in ("invoices", "credit_notes"):
        op.drop_index(f"ix_{table}_unrendered", table)
        op.drop_column(table, "rendered_at")
    op.drop_column("journal_entries", "posted_in")
    op.execute("DELETE FROM accounts")
