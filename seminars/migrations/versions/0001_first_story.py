"""The first story's tables"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


# Three roles: the owner runs migrations, the application reads and writes rows but owns nothing (so it cannot switch a trigger off),
# the reader reads. They are made by whoever makes the database; where one is missing its grants are left out.
GRANTS = """
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'seminars_app') THEN
    GRANT USAGE ON SCHEMA public TO seminars_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO seminars_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO seminars_app;
    GRANT SELECT ON alembic_version TO seminars_app;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'seminars_read') THEN
    GRANT USAGE ON SCHEMA public TO seminars_read;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO seminars_read;
  END IF;
END
$$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS citext")
    op.execute(GRANTS)
    op.create_table(
        "accounts",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=10), nullable=False),
        sa.Column("normal_side", sa.String(length=6), nullable=False),
        sa.CheckConstraint("normal_side IN ('debit', 'credit')", name=op.f("ck_accounts_normal_side")),
        sa.CheckConstraint("type IN ('asset', 'liability', 'equity', 'revenue', 'expense')", name=op.f("ck_accounts_type")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_accounts")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject", "id"], unique=False)
    op.create_table(
        "calendar_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("occasion", sa.String(length=80), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("recipient", postgresql.CITEXT(), nullable=False),
        sa.Column("recipient_name", sa.String(length=200), nullable=False),
        sa.Column("organizer", postgresql.CITEXT(), nullable=False),
        sa.Column("organizer_name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("dtstamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("schedule_hash", sa.String(length=64), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("partstat", sa.String(length=16), nullable=False),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'active', 'cancelled')", name=op.f("ck_calendar_entries_state")),
        sa.CheckConstraint("sequence >= 0", name=op.f("ck_calendar_entries_sequence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_entries")),
        sa.UniqueConstraint("holder", "occasion", "generation", name=op.f("uq_calendar_entries_holder_occasion_generation")),
        sa.UniqueConstraint("uid", name=op.f("uq_calendar_entries_uid")),
    )
    op.create_index(op.f("ix_calendar_entries_holder"), "calendar_entries", ["holder"], unique=False)
    op.create_index(op.f("ix_calendar_entries_occasion"), "calendar_entries", ["occasion"], unique=False)
    op.create_table(
        "discount_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", postgresql.CITEXT(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name=op.f("ck_discount_codes_kind")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_discount_codes_amount")),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_discount_codes_percent")),
        sa.CheckConstraint("used BETWEEN 0 AND most", name=op.f("ck_discount_codes_used")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_discount_codes_code")),
    )
    op.create_table(
        "documents",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_documents")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "import_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("horizon", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'running', 'done', 'discarded')", name=op.f("ck_import_runs_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_index(op.f("ix_import_runs_fingerprint"), "import_runs", ["fingerprint"], unique=False)
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_kind", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["journal_entries.id"], name=op.f("fk_journal_entries_reverses_id_journal_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_journal_entries_reverses_id")),
        sa.UniqueConstraint("source_kind", "source", name=op.f("uq_journal_entries_source_kind_source")),
    )
    op.create_index(op.f("ix_journal_entries_about"), "journal_entries", ["about"], unique=False)
    op.create_index("ix_journal_entries_effective_on", "journal_entries", ["effective_on", "id"], unique=False)
    op.create_table(
        "listings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("seminar_slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price_from", sa.BigInteger(), nullable=True),
        sa.Column("several_prices", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quota_id", sa.BigInteger(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', place || ' ' || city || ' ' || topic || ' ' || people), 'B') || setweight(to_tsvector('english', summary), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("subject", name=op.f("uq_listings_subject")),
    )
    op.create_index("ix_listings_city", "listings", ["city", "starts_at"], unique=False, postgresql_where=sa.text("listed"))
    op.create_index("ix_listings_search", "listings", ["search"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_listings_seminar_slug"), "listings", ["seminar_slug"], unique=False)
    op.create_index("ix_listings_topic", "listings", ["topic", "starts_at"], unique=False, postgresql_where=sa.text("listed"))
    op.create_index("ix_listings_upcoming", "listings", ["starts_at", "id"], unique=False, postgresql_where=sa.text("listed"))
    op.create_index(
        "ix_listings_running",
        "listings",
        [sa.text("tstzrange(starts_at, ends_at)")],
        unique=False,
        postgresql_using="gist",
        postgresql_where=sa.text("listed"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("recipient", postgresql.CITEXT(), nullable=False),
        sa.Column("recipient_name", sa.String(length=200), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("references", postgresql.ARRAY(sa.String(length=80)), nullable=False),
        sa.Column("lane", sa.String(length=255), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("calendar_method", sa.String(length=10), nullable=True),
        sa.Column("calendar", sa.LargeBinary(), nullable=True),
        sa.Column("thread", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'unknown', 'superseded', 'suppressed', 'failed')",
            name=op.f("ck_messages_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("key", name=op.f("uq_messages_key")),
    )
    op.create_index(
        "ix_messages_due",
        "messages",
        ["not_before", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')"),
    )
    op.create_index(
        "ix_messages_lane", "messages", ["lane", "revision"], unique=False, postgresql_where=sa.text("lane IS NOT NULL")
    )
    op.create_index("ix_messages_references", "messages", ["references"], unique=False, postgresql_using="gin")
    op.create_index(
        "uq_messages_sending_lane",
        "messages",
        ["lane"],
        unique=True,
        postgresql_where=sa.text("lane IS NOT NULL AND state = 'sending'"),
    )
    op.create_table(
        "periods",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("date_trunc('month', month) = month", name=op.f("ck_periods_month")),
        sa.CheckConstraint("state IN ('open', 'closing', 'closed')", name=op.f("ck_periods_state")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_periods")),
    )
    op.create_table(
        "refund_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("days_before >= 0 AND fee >= 0", name=op.f("ck_refund_policies_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_policies")),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("permissions", sa.UnicodeText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
    )
    op.create_table(
        "seminars",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("credits", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seminars")),
        sa.UniqueConstraint("slug", name=op.f("uq_seminars_slug")),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_series_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("kind", "year", name=op.f("uq_series_kind_year")),
    )
    op.create_table(
        "speakers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("credentials", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=300), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_speakers")),
    )
    op.create_table(
        "stripe_cursors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stripe_cursors")),
    )
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("object_id", sa.String(length=120), nullable=False),
        sa.Column("api_version", sa.String(length=60), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'handled', 'ignored', 'dead')", name=op.f("ck_stripe_events_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
    )
    op.create_index(
        "ix_stripe_events_due", "stripe_events", ["not_before"], unique=False, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_index("ix_stripe_events_object", "stripe_events", ["object_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("fs_webauthn_user_handle", sa.String(length=64), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("create_datetime", sa.DateTime(timezone=True), nullable=True),
        sa.Column("update_datetime", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tf_primary_method", sa.String(length=64), nullable=True),
        sa.Column("tf_totp_secret", sa.String(length=255), nullable=True),
        sa.Column("totp_counter", sa.BigInteger(), nullable=True),
        sa.Column("mf_recovery_codes", sa.UnicodeText(), nullable=True),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_users_fs_uniquifier")),
        sa.UniqueConstraint("fs_webauthn_user_handle", name=op.f("uq_users_fs_webauthn_user_handle")),
    )
    op.create_table(
        "venues",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("region", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("map_url", sa.Text(), nullable=False),
        sa.Column("access_notes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venues")),
    )
    op.create_table(
        "browser_sessions",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_browser_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_browser_sessions")),
    )
    op.create_index(op.f("ix_browser_sessions_user_id"), "browser_sessions", ["user_id"], unique=False)
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("discount_code_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'ordered', 'lapsed')", name=op.f("ck_carts_state")),
        sa.ForeignKeyConstraint(
            ["discount_code_id"], ["discount_codes.id"], name=op.f("fk_carts_discount_code_id_discount_codes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("secret", name=op.f("uq_carts_secret")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("seminar_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=True),
        sa.Column("join_url", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("preview_secret", sa.String(length=40), nullable=False),
        sa.Column("source_uid", sa.String(length=512), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("format IN ('in_person', 'online', 'hybrid')", name=op.f("ck_events_format")),
        sa.CheckConstraint("state IN ('draft', 'published', 'archived', 'cancelled')", name=op.f("ck_events_state")),
        sa.ForeignKeyConstraint(["policy_id"], ["refund_policies.id"], name=op.f("fk_events_policy_id_refund_policies")),
        sa.ForeignKeyConstraint(["seminar_id"], ["seminars.id"], name=op.f("fk_events_seminar_id_seminars")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_events_venue_id_venues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("reference", name=op.f("uq_events_reference")),
        sa.UniqueConstraint("source_uid", name=op.f("uq_events_source_uid")),
    )
    op.create_index(op.f("ix_events_seminar_id"), "events", ["seminar_id"], unique=False)
    op.create_index("ix_events_start", "events", ["starts_at"], unique=False)
    op.create_index(op.f("ix_events_venue_id"), "events", ["venue_id"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", sa.UnicodeText(), nullable=True),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.String(length=255), nullable=True),
        sa.Column("create_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lastuse_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("usage", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_passkeys_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_user_id"), "passkeys", ["user_id"], unique=False)
    op.create_table(
        "postings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("account_number", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("dimension", sa.String(length=80), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_postings_amount")),
        sa.CheckConstraint("currency = upper(currency) AND length(currency) = 3", name=op.f("ck_postings_currency")),
        sa.ForeignKeyConstraint(["account_number"], ["accounts.number"], name=op.f("fk_postings_account_number_accounts")),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entries.id"], name=op.f("fk_postings_entry_id_journal_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postings")),
    )
    op.create_index("ix_postings_account", "postings", ["account_number", "currency", "entry_id"], unique=False)
    op.create_index("ix_postings_dimension", "postings", ["dimension"], unique=False, postgresql_where="dimension <> ''")
    op.create_index(op.f("ix_postings_entry_id"), "postings", ["entry_id"], unique=False)
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_user_roles_role_id_roles"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "event_sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("agenda", sa.Text(), nullable=False),
        sa.Column("starts_local", sa.DateTime(), nullable=False),
        sa.Column("ends_local", sa.DateTime(), nullable=False),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("room", sa.String(length=300), nullable=False),
        sa.Column("join_url", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'delivered', 'cancelled')", name=op.f("ck_event_sessions_state")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_event_sessions_times")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_sessions_event_id_events"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_sessions")),
    )
    op.create_index("ix_event_sessions_event_start", "event_sessions", ["event_id", "starts_at"], unique=False)
    op.create_table(
        "event_speakers",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("speaker_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_speakers_event_id_events"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["speaker_id"], ["speakers.id"], name=op.f("fk_event_speakers_speaker_id_speakers")),
        sa.PrimaryKeyConstraint("event_id", "speaker_id", name=op.f("pk_event_speakers")),
    )
    op.create_table(
        "import_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("outcome IN ('new', 'duplicate', 'left_out', 'made')", name=op.f("ck_import_rows_outcome")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_import_rows_event_id_events"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_runs.id"], name=op.f("fk_import_rows_run_id_import_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
        sa.UniqueConstraint("run_id", "position", name=op.f("uq_import_rows_run_id_position")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=4), nullable=False),
        sa.Column("buyer_name", sa.String(length=200), nullable=False),
        sa.Column("buyer_email", postgresql.CITEXT(), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("po_number", sa.String(length=80), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("discount_code_id", sa.BigInteger(), nullable=True),
        sa.Column("policies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("needs_review", sa.Text(), nullable=False),
        sa.Column("dispute_open", sa.Boolean(), nullable=False),
        sa.Column("paid_unplaced", sa.Boolean(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('web', 'desk')", name=op.f("ck_orders_channel")),
        sa.CheckConstraint("state IN ('open', 'placed', 'paid', 'cancelled', 'expired')", name=op.f("ck_orders_state")),
        sa.CheckConstraint("total >= 0 AND net + tax = total", name=op.f("ck_orders_total")),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_orders_cart_id_carts")),
        sa.ForeignKeyConstraint(
            ["discount_code_id"], ["discount_codes.id"], name=op.f("fk_orders_discount_code_id_discount_codes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_orders_cart_id")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
        sa.UniqueConstraint("secret", name=op.f("uq_orders_secret")),
    )
    op.create_index(op.f("ix_orders_buyer_email"), "orders", ["buyer_email"], unique=False)
    op.create_index(
        "ix_orders_review",
        "orders",
        ["id"],
        unique=False,
        postgresql_where=sa.text("needs_review <> '' OR paid_unplaced OR dispute_open"),
    )
    op.create_index("ix_orders_state", "orders", ["state", "id"], unique=False)
    op.create_table(
        "quotas",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken BETWEEN 0 AND size", name=op.f("ck_quotas_taken")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_quotas_event_id_events"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotas")),
    )
    op.create_index(op.f("ix_quotas_event_id"), "quotas", ["event_id"], unique=False)
    op.create_table(
        "ticket_types",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("early_price", sa.BigInteger(), nullable=True),
        sa.Column("early_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_sale", sa.Boolean(), nullable=False),
        sa.Column("most_per_order", sa.Integer(), nullable=False),
        sa.CheckConstraint("(early_price IS NULL) = (early_until IS NULL)", name=op.f("ck_ticket_types_early")),
        sa.CheckConstraint(
            "price >= 0 AND (early_price IS NULL OR (early_price >= 0 AND early_price <= price))",
            name=op.f("ck_ticket_types_price"),
        ),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_ticket_types_event_id_events"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_types")),
    )
    op.create_index(op.f("ix_ticket_types_event_id"), "ticket_types", ["event_id"], unique=False)
    op.create_table(
        "discount_ticket_types",
        sa.Column("discount_code_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discount_code_id"],
            ["discount_codes.id"],
            name=op.f("fk_discount_ticket_types_discount_code_id_discount_codes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_types.id"],
            name=op.f("fk_discount_ticket_types_ticket_type_id_ticket_types"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("discount_code_id", "ticket_type_id", name=op.f("pk_discount_ticket_types")),
    )
    op.create_index(op.f("ix_discount_ticket_types_ticket_type_id"), "discount_ticket_types", ["ticket_type_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'consumed', 'released')", name=op.f("ck_holds_state")),
        sa.CheckConstraint("places BETWEEN 1 AND 20", name=op.f("ck_holds_places")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_holds_event_id_events")),
        sa.ForeignKeyConstraint(["ticket_type_id"], ["ticket_types.id"], name=op.f("fk_holds_ticket_type_id_ticket_types")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_holder"), "holds", ["holder"], unique=False)
    op.create_index(
        "ix_holds_lapsing",
        "holds",
        ["ends_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "ix_holds_event_active",
        "holds",
        ["event_id", "ends_at"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(op.f("ix_holds_ticket_type_id"), "holds", ["ticket_type_id"], unique=False)
    op.create_table(
        "invoices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("state IN ('issued', 'paid', 'credited', 'void')", name=op.f("ck_invoices_state")),
        sa.CheckConstraint("net + tax = total", name=op.f("ck_invoices_total")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_invoices_order_id_orders")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_invoices_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
        sa.UniqueConstraint("series_id", "serial", name=op.f("uq_invoices_series_id_serial")),
    )
    op.create_index(op.f("ix_invoices_order_id"), "invoices", ["order_id"], unique=False)
    op.create_table(
        "payment_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("session_id", sa.String(length=120), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=120), nullable=True),
        sa.Column("decline_reason", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_by", sa.String(length=20), nullable=False),
        sa.CheckConstraint(
            "state IN ('intent', 'submitting', 'open', 'processing', 'succeeded', 'failed', 'expired', 'superseded', 'unknown')",
            name=op.f("ck_payment_attempts_state"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payment_attempts_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempts")),
        sa.UniqueConstraint("key", name=op.f("uq_payment_attempts_key")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_payment_attempts_order_id_number")),
        sa.UniqueConstraint("session_id", name=op.f("uq_payment_attempts_session_id")),
    )
    op.create_index(
        "ix_payment_attempts_open",
        "payment_attempts",
        ["state", "checked_at"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('succeeded', 'failed', 'expired', 'superseded')"),
    )
    op.create_index(op.f("ix_payment_attempts_payment_intent_id"), "payment_attempts", ["payment_intent_id"], unique=False)
    op.create_index(
        "uq_payment_attempts_live",
        "payment_attempts",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('succeeded', 'failed', 'expired', 'superseded')"),
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("order_reference", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attendee_name", sa.String(length=200), nullable=True),
        sa.Column("attendee_email", postgresql.CITEXT(), nullable=True),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("profession", sa.String(length=200), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("comp", sa.Boolean(), nullable=False),
        sa.Column("comp_reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'confirmed', 'cancelled', 'attended', 'no_show')", name=op.f("ck_registrations_state")
        ),
        sa.CheckConstraint("(attendee_name IS NULL) = (attendee_email IS NULL)", name=op.f("ck_registrations_named")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_registrations_event_id_events")),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"], ["ticket_types.id"], name=op.f("fk_registrations_ticket_type_id_ticket_types")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("secret", name=op.f("uq_registrations_secret")),
    )
    op.create_index(op.f("ix_registrations_attendee_email"), "registrations", ["attendee_email"], unique=False)
    op.create_index("ix_registrations_event", "registrations", ["event_id", "state", "attendee_name", "id"], unique=False)
    op.create_index("ix_registrations_order", "registrations", ["order_reference"], unique=False)
    op.create_index(op.f("ix_registrations_ticket_type_id"), "registrations", ["ticket_type_id"], unique=False)
    op.create_table(
        "ticket_type_quotas",
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("quota_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["quota_id"], ["quotas.id"], name=op.f("fk_ticket_type_quotas_quota_id_quotas")),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_types.id"],
            name=op.f("fk_ticket_type_quotas_ticket_type_id_ticket_types"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket_type_id", "quota_id", name=op.f("pk_ticket_type_quotas")),
    )
    op.create_index(op.f("ix_ticket_type_quotas_quota_id"), "ticket_type_quotas", ["quota_id"], unique=False)
    op.create_table(
        "ticket_type_sessions",
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["event_sessions.id"],
            name=op.f("fk_ticket_type_sessions_session_id_event_sessions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_types.id"],
            name=op.f("fk_ticket_type_sessions_ticket_type_id_ticket_types"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket_type_id", "session_id", name=op.f("pk_ticket_type_sessions")),
    )
    op.create_index(op.f("ix_ticket_type_sessions_session_id"), "ticket_type_sessions", ["session_id"], unique=False)
    op.create_table(
        "cart_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_cart_lines_cart_id_carts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_cart_lines_hold_id_holds")),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"], ["ticket_types.id"], name=op.f("fk_cart_lines_ticket_type_id_ticket_types"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_lines")),
        sa.UniqueConstraint("cart_id", "ticket_type_id", name=op.f("uq_cart_lines_cart_id_ticket_type_id")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_cart_lines_hold_id")),
    )
    op.create_index(op.f("ix_cart_lines_ticket_type_id"), "cart_lines", ["ticket_type_id"], unique=False)
    op.create_table(
        "credit_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("series_id", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("net + tax = total AND total > 0", name=op.f("ck_credit_notes_total")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_credit_notes_invoice_id_invoices")),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_credit_notes_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("key", name=op.f("uq_credit_notes_key")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_notes_number")),
        sa.UniqueConstraint("series_id", "serial", name=op.f("uq_credit_notes_series_id_serial")),
    )
    op.create_index(op.f("ix_credit_notes_invoice_id"), "credit_notes", ["invoice_id"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_type_id", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=False),
        sa.Column("early_reduction", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "list_price - early_reduction - discount = net AND net >= 0 AND tax >= 0", name=op.f("ck_order_lines_price")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_order_lines_event_id_events")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id_orders")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_order_lines_registration_id_registrations")
        ),
        sa.ForeignKeyConstraint(["ticket_type_id"], ["ticket_types.id"], name=op.f("fk_order_lines_ticket_type_id_ticket_types")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_lines_order_id_position")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_order_lines_registration_id")),
    )
    op.create_index(op.f("ix_order_lines_event_id"), "order_lines", ["event_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=True),
        sa.Column("charge_id", sa.String(length=120), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("promised", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("brand", sa.String(length=40), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("balance_transaction_id", sa.String(length=120), nullable=True),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role IN ('settles', 'surplus', 'unallocated')", name=op.f("ck_payments_role")),
        sa.CheckConstraint("promised BETWEEN 0 AND amount", name=op.f("ck_payments_promised")),
        sa.ForeignKeyConstraint(["attempt_id"], ["payment_attempts.id"], name=op.f("fk_payments_attempt_id_payment_attempts")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("balance_transaction_id", name=op.f("uq_payments_balance_transaction_id")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_payments_charge_id")),
    )
    op.create_index(op.f("ix_payments_attempt_id"), "payments", ["attempt_id"], unique=False)
    op.create_index(
        "ix_payments_fee_missing", "payments", ["id"], unique=False, postgresql_where=sa.text("balance_transaction_id IS NULL")
    )
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"], unique=False)
    op.create_index(op.f("ix_payments_payment_intent_id"), "payments", ["payment_intent_id"], unique=False)
    op.create_index("uq_payments_settles", "payments", ["order_id"], unique=True, postgresql_where=sa.text("role = 'settles'"))
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("refund_id", sa.String(length=120), nullable=True),
        sa.Column("balance_transaction_id", sa.String(length=120), nullable=True),
        sa.Column("failure_balance_transaction_id", sa.String(length=120), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'submitting', 'pending', 'requires_action', 'succeeded', 'failed', 'needs_manual', 'settled_otherwise', 'canceled')",
            name=op.f("ck_refunds_state"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("balance_transaction_id", name=op.f("uq_refunds_balance_transaction_id")),
        sa.UniqueConstraint("failure_balance_transaction_id", name=op.f("uq_refunds_failure_balance_transaction_id")),
        sa.UniqueConstraint("key", name=op.f("uq_refunds_key")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refunds_refund_id")),
    )
    op.create_index(
        "ix_refunds_due",
        "refunds",
        ["state", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('requested', 'submitting', 'pending', 'requires_action')"),
    )
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_refunds_payment_id"), table_name="refunds")
    op.drop_index(
        "ix_refunds_due",
        table_name="refunds",
        postgresql_where=sa.text("state IN ('requested', 'submitting', 'pending', 'requires_action')"),
    )
    op.drop_table("refunds")
    op.drop_index("uq_payments_settles", table_name="payments", postgresql_where=sa.text("role = 'settles'"))
    op.drop_index(op.f("ix_payments_payment_intent_id"), table_name="payments")
    op.drop_index(op.f("ix_payments_order_id"), table_name="payments")
    op.drop_index("ix_payments_fee_missing", table_name="payments", postgresql_where=sa.text("balance_transaction_id IS NULL"))
    op.drop_index(op.f("ix_payments_attempt_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_index(op.f("ix_order_lines_event_id"), table_name="order_lines")
    op.drop_table("order_lines")
    op.drop_index(op.f("ix_credit_notes_invoice_id"), table_name="credit_notes")
    op.drop_table("credit_notes")
    op.drop_index(op.f("ix_cart_lines_ticket_type_id"), table_name="cart_lines")
    op.drop_table("cart_lines")
    op.drop_index(op.f("ix_ticket_type_sessions_session_id"), table_name="ticket_type_sessions")
    op.drop_table("ticket_type_sessions")
    op.drop_index(op.f("ix_ticket_type_quotas_quota_id"), table_name="ticket_type_quotas")
    op.drop_table("ticket_type_quotas")
    op.drop_index(op.f("ix_registrations_ticket_type_id"), table_name="registrations")
    op.drop_index("ix_registrations_order", table_name="registrations")
    op.drop_index("ix_registrations_event", table_name="registrations")
    op.drop_index(op.f("ix_registrations_attendee_email"), table_name="registrations")
    op.drop_table("registrations")
    op.drop_index(
        "uq_payment_attempts_live",
        table_name="payment_attempts",
        postgresql_where=sa.text("state NOT IN ('succeeded', 'failed', 'expired', 'superseded')"),
    )
    op.drop_index(op.f("ix_payment_attempts_payment_intent_id"), table_name="payment_attempts")
    op.drop_index(
        "ix_payment_attempts_open",
        table_name="payment_attempts",
        postgresql_where=sa.text("state NOT IN ('succeeded', 'failed', 'expired', 'superseded')"),
    )
    op.drop_table("payment_attempts")
    op.drop_index(op.f("ix_invoices_order_id"), table_name="invoices")
    op.drop_table("invoices")
    op.drop_index(op.f("ix_holds_ticket_type_id"), table_name="holds")
    op.drop_index("ix_holds_lapsing", table_name="holds", postgresql_where=sa.text("state = 'active'"))
    op.drop_index(op.f("ix_holds_holder"), table_name="holds")
    op.drop_index("ix_holds_event_active", table_name="holds", postgresql_where=sa.text("state = 'active'"))
    op.drop_table("holds")
    op.drop_index(op.f("ix_discount_ticket_types_ticket_type_id"), table_name="discount_ticket_types")
    op.drop_table("discount_ticket_types")
    op.drop_index(op.f("ix_ticket_types_event_id"), table_name="ticket_types")
    op.drop_table("ticket_types")
    op.drop_index(op.f("ix_quotas_event_id"), table_name="quotas")
    op.drop_table("quotas")
    op.drop_index("ix_orders_state", table_name="orders")
    op.drop_index(
        "ix_orders_review", table_name="orders", postgresql_where=sa.text("needs_review <> '' OR paid_unplaced OR dispute_open")
    )
    op.drop_index(op.f("ix_orders_buyer_email"), table_name="orders")
    op.drop_table("orders")
    op.drop_table("import_rows")
    op.drop_table("event_speakers")
    op.drop_index("ix_event_sessions_event_start", table_name="event_sessions")
    op.drop_table("event_sessions")
    op.drop_table("user_roles")
    op.drop_index(op.f("ix_postings_entry_id"), table_name="postings")
    op.drop_index("ix_postings_dimension", table_name="postings", postgresql_where="dimension <> ''")
    op.drop_index("ix_postings_account", table_name="postings")
    op.drop_table("postings")
    op.drop_index(op.f("ix_passkeys_user_id"), table_name="passkeys")
    op.drop_table("passkeys")
    op.drop_index(op.f("ix_events_venue_id"), table_name="events")
    op.drop_index("ix_events_start", table_name="events")
    op.drop_index(op.f("ix_events_seminar_id"), table_name="events")
    op.drop_table("events")
    op.drop_table("carts")
    op.drop_index(op.f("ix_browser_sessions_user_id"), table_name="browser_sessions")
    op.drop_table("browser_sessions")
    op.drop_table("venues")
    op.drop_table("users")
    op.drop_index("ix_stripe_events_object", table_name="stripe_events")
    op.drop_index("ix_stripe_events_due", table_name="stripe_events", postgresql_where=sa.text("state = 'pending'"))
    op.drop_table("stripe_events")
    op.drop_table("stripe_cursors")
    op.drop_table("speakers")
    op.drop_table("series")
    op.drop_table("seminars")
    op.drop_table("roles")
    op.drop_table("refund_policies")
    op.drop_table("periods")
    op.drop_index(
        "uq_messages_sending_lane", table_name="messages", postgresql_where=sa.text("lane IS NOT NULL AND state = 'sending'")
    )
    op.drop_index("ix_messages_references", table_name="messages", postgresql_using="gin")
    op.drop_index("ix_messages_lane", table_name="messages", postgresql_where=sa.text("lane IS NOT NULL"))
    op.drop_index(
        "ix_messages_due", table_name="messages", postgresql_where=sa.text("state IN ('pending', 'sending', 'unknown')")
    )
    op.drop_table("messages")
    op.drop_index("ix_listings_running", table_name="listings", postgresql_where=sa.text("listed"))
    op.drop_index("ix_listings_upcoming", table_name="listings", postgresql_where=sa.text("listed"))
    op.drop_index("ix_listings_topic", table_name="listings", postgresql_where=sa.text("listed"))
    op.drop_index(op.f("ix_listings_seminar_slug"), table_name="listings")
    op.drop_index("ix_listings_search", table_name="listings", postgresql_using="gin")
    op.drop_index("ix_listings_city", table_name="listings", postgresql_where=sa.text("listed"))
    op.drop_table("listings")
    op.drop_index("ix_journal_entries_effective_on", table_name="journal_entries")
    op.drop_index(op.f("ix_journal_entries_about"), table_name="journal_entries")
    op.drop_table("journal_entries")
    op.drop_index(op.f("ix_import_runs_fingerprint"), table_name="import_runs")
    op.drop_table("import_runs")
    op.drop_table("heartbeats")
    op.drop_table("documents")
    op.drop_table("discount_codes")
    op.drop_index(op.f("ix_calendar_entries_occasion"), table_name="calendar_entries")
    op.drop_index(op.f("ix_calendar_entries_holder"), table_name="calendar_entries")
    op.drop_table("calendar_entries")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("accounts")
