"""Time is claimed, consulting is booked, proposals become engagements"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


# One resource for each, told apart by the number that it is given here and nowhere else.
RESOURCE_FOR_EACH_SPEAKER = """
DO $$
DECLARE
  one record;
  made bigint;
BEGIN
  FOR one IN SELECT id, name FROM speakers ORDER BY id LOOP
    INSERT INTO resources (kind, name) VALUES ('person', one.name) RETURNING id INTO made;
    UPDATE speakers SET resource_id = made WHERE id = one.id;
  END LOOP;
END
$$
"""

# Looked at when the transaction ends, so that an engagement and its milestones may be written one after the other. Tables are named
# with their schema: a temporary table of the same name would otherwise be asked instead. SB005: the parts are not the whole.
MILESTONES_MAKE_THE_TOTAL = """
CREATE FUNCTION milestones_must_make_the_total(engagement bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  quoted bigint;
  parts bigint;
BEGIN
  SELECT total INTO quoted FROM public.engagements WHERE id = engagement;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT coalesce(sum(amount), 0) INTO parts FROM public.milestones WHERE engagement_id = engagement;
  IF parts <> quoted THEN
    RAISE EXCEPTION 'the milestones of engagement % are % in all, its quote is %', engagement, parts, quoted USING ERRCODE = 'SB005';
  END IF;
END
$$
"""

QUOTE_HOLDS = """
CREATE FUNCTION engagement_total_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.milestones_must_make_the_total(NEW.id);
  RETURN NULL;
END
$$
"""

MILESTONES_HOLD = """
CREATE FUNCTION milestone_total_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM public.milestones_must_make_the_total(OLD.engagement_id);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    PERFORM public.milestones_must_make_the_total(NEW.engagement_id);
  END IF;
  RETURN NULL;
END
$$
"""

# What is on sale when time begins to be claimed. Of two events that one person teaches at one time already, the later one is laid over
# the other, so that staff see it and nothing stops.
CLAIM_FOR_EACH_SESSION = """
WITH taught AS (
  SELECT p.resource_id, s.id, s.event_id, s.starts_at, s.ends_at,
         e.title || CASE WHEN s.title <> '' THEN ': ' || s.title ELSE '' END AS label
    FROM events e
    JOIN event_sessions s ON s.event_id = e.id AND s.state <> 'cancelled'
    JOIN event_speakers t ON t.event_id = e.id
    JOIN speakers p ON p.id = t.speaker_id
   WHERE e.state = 'published'
)
INSERT INTO time_claims (resource_id, kind, holder, starts_at, ends_at, label, override_reason, created_at)
SELECT one.resource_id, 'session', 'session/' || one.id, one.starts_at, one.ends_at, one.label,
       CASE WHEN EXISTS (SELECT FROM taught other
                          WHERE other.resource_id = one.resource_id AND other.id < one.id
                            AND other.starts_at < one.ends_at AND one.starts_at < other.ends_at)
            THEN 'It stood so before time was claimed' ELSE '' END,
       now()
  FROM taught one
"""

CHECKS = (
    ("cart_lines", "one_thing", "num_nonnulls(ticket_type_id, appointment_id) = 1"),
    ("cart_lines", "seats", "(ticket_type_id IS NULL) = (hold_id IS NULL)"),
    ("cart_lines", "appointment", "(appointment_id IS NULL) = (length_id IS NULL) AND (appointment_id IS NULL OR places = 1)"),
    ("order_lines", "one_thing", "num_nonnulls(registration_id, appointment_id, subject) = 1"),
    ("order_lines", "seat", "num_nonnulls(registration_id, event_id, ticket_type_id) IN (0, 3)"),
    ("invoice_lines", "one_thing", "num_nonnulls(registration_id, appointment_id, subject) = 1"),
    ("revenue_shares", "one_thing", "num_nonnulls(session_id, appointment_id, subject) = 1"),
)


def upgrade() -> None:
    # An exclusion constraint over a number and a range; a trusted extension, so that the tables' owner may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "proposals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("intro", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("client_name", sa.String(length=200), nullable=False),
        sa.Column("client_email", postgresql.CITEXT(), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("po_number", sa.String(length=80), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=200), nullable=False),
        sa.Column("answered_from", sa.String(length=64), nullable=False),
        sa.Column("answer_note", sa.Text(), nullable=False),
        sa.CheckConstraint("(state IN ('accepted', 'declined')) = (answered_at IS NOT NULL)", name=op.f("ck_proposals_answered")),
        sa.CheckConstraint("state IN ('draft', 'sent', 'accepted', 'declined', 'expired', 'superseded')", name=op.f("ck_proposals_state")),
        sa.CheckConstraint("total >= 0 AND version > 0", name=op.f("ck_proposals_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("number", "version", name=op.f("uq_proposals_number_version")),
        sa.UniqueConstraint("secret", name=op.f("uq_proposals_secret")),
    )
    op.create_index(op.f("ix_proposals_number"), "proposals", ["number"], unique=False)
    op.create_index("uq_proposals_accepted", "proposals", ["number"], unique=True, postgresql_where=sa.text("state = 'accepted'"))
    op.create_index("uq_proposals_sent", "proposals", ["number"], unique=True, postgresql_where=sa.text("state = 'sent'"))
    op.create_table(
        "resources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'room')", name=op.f("ck_resources_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
    )
    op.create_table(
        "consultants",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=False),
        sa.Column("credentials", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=300), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("video_link", sa.Text(), nullable=False),
        sa.Column("feed_secret", sa.String(length=40), nullable=False),
        sa.Column("busy_url", sa.Text(), nullable=False),
        sa.Column("busy_etag", sa.Text(), nullable=False),
        sa.Column("busy_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_trouble", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_consultants_resource_id_resources")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consultants_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultants")),
        sa.UniqueConstraint("feed_secret", name=op.f("uq_consultants_feed_secret")),
        sa.UniqueConstraint("resource_id", name=op.f("uq_consultants_resource_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_consultants_slug")),
        sa.UniqueConstraint("user_id", name=op.f("uq_consultants_user_id")),
    )
    op.create_table(
        "engagements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('active', 'completed', 'cancelled')", name=op.f("ck_engagements_state")),
        sa.CheckConstraint("total >= 0", name=op.f("ck_engagements_total")),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name=op.f("fk_engagements_proposal_id_proposals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("number", name=op.f("uq_engagements_number")),
        sa.UniqueConstraint("proposal_id", name=op.f("uq_engagements_proposal_id")),
        sa.UniqueConstraint("secret", name=op.f("uq_engagements_secret")),
    )
    op.create_table(
        "offerings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("together", sa.Integer(), nullable=False),
        sa.Column("notice_hours", sa.Integer(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("daily_cap", sa.Integer(), nullable=True),
        sa.Column("buffer_before", sa.Integer(), nullable=False),
        sa.Column("buffer_after", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("change_hours", sa.Integer(), nullable=False),
        sa.Column("questions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('video', 'in_person', 'client_site')", name=op.f("ck_offerings_mode")),
        sa.CheckConstraint("state IN ('draft', 'published', 'archived')", name=op.f("ck_offerings_state")),
        sa.CheckConstraint("buffer_before BETWEEN 0 AND 480 AND buffer_after BETWEEN 0 AND 480", name=op.f("ck_offerings_buffers")),
        sa.CheckConstraint("change_hours >= 0", name=op.f("ck_offerings_change")),
        sa.CheckConstraint("daily_cap > 0", name=op.f("ck_offerings_daily_cap")),
        sa.CheckConstraint("notice_hours >= 0 AND horizon_days BETWEEN 1 AND 730", name=op.f("ck_offerings_window")),
        sa.CheckConstraint("step BETWEEN 5 AND 480 AND together BETWEEN 1 AND 5", name=op.f("ck_offerings_step")),
        sa.ForeignKeyConstraint(["policy_id"], ["refund_policies.id"], name=op.f("fk_offerings_policy_id_refund_policies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offerings")),
        sa.UniqueConstraint("slug", name=op.f("uq_offerings_slug")),
    )
    op.create_table(
        "proposal_documents",
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_documents_proposal_id_proposals")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal_documents")),
    )
    op.create_table(
        "proposed_milestones",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_proposed_milestones_amount")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposed_milestones_proposal_id_proposals"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposed_milestones")),
        sa.UniqueConstraint("proposal_id", "position", name=op.f("uq_proposed_milestones_proposal_id_position")),
    )
    op.create_table(
        "rooms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("venue_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_rooms_resource_id_resources")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_rooms_venue_id_venues")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("resource_id", name=op.f("uq_rooms_resource_id")),
        sa.UniqueConstraint("venue_id", "name", name=op.f("uq_rooms_venue_id_name")),
    )
    op.create_table(
        "time_claims",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("resource_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("resource_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("kind IN ('session', 'appointment', 'hold', 'buffer', 'leave') AND override_reason = ''"),
            using="gist",
            name="ex_time_claims_one_at_a_time",
        ),
        sa.CheckConstraint("kind IN ('session', 'appointment', 'hold', 'buffer', 'leave', 'busy')", name=op.f("ck_time_claims_kind")),
        sa.CheckConstraint("lapses_at IS NULL OR kind IN ('hold', 'buffer')", name=op.f("ck_time_claims_lapses")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_time_claims_times")),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_time_claims_resource_id_resources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_claims")),
    )
    op.create_index(op.f("ix_time_claims_holder"), "time_claims", ["holder"], unique=False)
    op.create_index("ix_time_claims_lapsing", "time_claims", ["lapses_at"], unique=False, postgresql_where=sa.text("lapses_at IS NOT NULL"))
    op.create_index(
        "ix_time_claims_resource",
        "time_claims",
        [sa.literal_column("resource_id"), sa.literal_column("tstzrange(starts_at, ends_at)")],
        unique=False,
        postgresql_using="gist",
    )
    op.create_table(
        "appointments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("order_reference", sa.String(length=80), nullable=False),
        sa.Column("client_name", sa.String(length=200), nullable=True),
        sa.Column("client_email", postgresql.CITEXT(), nullable=True),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("join_url", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("held_until IS NULL OR state = 'held'", name=op.f("ck_appointments_held")),
        sa.CheckConstraint("state IN ('held', 'cancelled') OR client_email IS NOT NULL", name=op.f("ck_appointments_client")),
        sa.CheckConstraint(
            "state IN ('requested', 'held', 'confirmed', 'delivered', 'no_show', 'cancelled')", name=op.f("ck_appointments_state")
        ),
        sa.CheckConstraint("(client_name IS NULL) = (client_email IS NULL)", name=op.f("ck_appointments_named")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_appointments_times")),
        sa.ForeignKeyConstraint(["offering_id"], ["offerings.id"], name=op.f("fk_appointments_offering_id_offerings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
        sa.UniqueConstraint("secret", name=op.f("uq_appointments_secret")),
    )
    op.create_index(op.f("ix_appointments_client_email"), "appointments", ["client_email"], unique=False)
    op.create_index(op.f("ix_appointments_holder"), "appointments", ["holder"], unique=False)
    op.create_index(
        "ix_appointments_lapsing", "appointments", ["held_until"], unique=False, postgresql_where=sa.text("held_until IS NOT NULL")
    )
    op.create_index(op.f("ix_appointments_offering_id"), "appointments", ["offering_id"], unique=False)
    op.create_index("ix_appointments_order", "appointments", ["order_reference"], unique=False)
    op.create_index("ix_appointments_requested", "appointments", ["id"], unique=False, postgresql_where=sa.text("state = 'requested'"))
    op.create_index(
        "ix_appointments_start", "appointments", ["starts_at", "id"], unique=False, postgresql_where=sa.text("state <> 'cancelled'")
    )
    op.create_table(
        "availability_exceptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.CheckConstraint("ends > starts OR ends = '00:00'", name=op.f("ck_availability_exceptions_times")),
        sa.CheckConstraint("(starts IS NULL) = (ends IS NULL)", name=op.f("ck_availability_exceptions_both")),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultants.id"], name=op.f("fk_availability_exceptions_consultant_id_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_exceptions")),
    )
    op.create_index(op.f("ix_availability_exceptions_consultant_id"), "availability_exceptions", ["consultant_id"], unique=False)
    op.create_table(
        "availability_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.CheckConstraint("ends > starts OR ends = '00:00'", name=op.f("ck_availability_rules_times")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_availability_rules_weekday")),
        sa.ForeignKeyConstraint(
            ["consultant_id"], ["consultants.id"], name=op.f("fk_availability_rules_consultant_id_consultants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_rules")),
    )
    op.create_index(op.f("ix_availability_rules_consultant_id"), "availability_rules", ["consultant_id"], unique=False)
    op.create_table(
        "engagement_documents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_engagement_documents_engagement_id_engagements")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement_documents")),
    )
    op.create_index(op.f("ix_engagement_documents_engagement_id"), "engagement_documents", ["engagement_id"], unique=False)
    op.create_table(
        "engagement_events",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_engagement_events_engagement_id_engagements")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_engagement_events_event_id_events")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_engagement_events")),
    )
    op.create_index(op.f("ix_engagement_events_engagement_id"), "engagement_events", ["engagement_id"], unique=False)
    op.create_table(
        "offering_consultants",
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["consultant_id"], ["consultants.id"], name=op.f("fk_offering_consultants_consultant_id_consultants")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offerings.id"], name=op.f("fk_offering_consultants_offering_id_offerings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("offering_id", "consultant_id", name=op.f("pk_offering_consultants")),
    )
    op.create_index(op.f("ix_offering_consultants_consultant_id"), "offering_consultants", ["consultant_id"], unique=False)
    op.create_table(
        "offering_lengths",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offering_id", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("minutes BETWEEN 5 AND 1440 AND price >= 0", name=op.f("ck_offering_lengths_amounts")),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offerings.id"], name=op.f("fk_offering_lengths_offering_id_offerings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering_lengths")),
        sa.UniqueConstraint("offering_id", "minutes", name=op.f("uq_offering_lengths_offering_id_minutes")),
    )
    op.create_table(
        "proposal_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=9, scale=2), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=True),
        sa.Column("offering_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('day', 'event', 'material', 'other')", name=op.f("ck_proposal_lines_kind")),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_proposal_lines_dated")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_proposal_lines_times")),
        sa.CheckConstraint("num_nonnulls(consultant_id, offering_id, starts_at) IN (0, 3)", name=op.f("ck_proposal_lines_meeting")),
        sa.CheckConstraint("(kind = 'event') = (event_id IS NOT NULL)", name=op.f("ck_proposal_lines_event")),
        sa.CheckConstraint("quantity > 0 AND unit_price >= 0 AND amount >= 0", name=op.f("ck_proposal_lines_amounts")),
        sa.ForeignKeyConstraint(["consultant_id"], ["consultants.id"], name=op.f("fk_proposal_lines_consultant_id_consultants")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_proposal_lines_event_id_events")),
        sa.ForeignKeyConstraint(["offering_id"], ["offerings.id"], name=op.f("fk_proposal_lines_offering_id_offerings")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_lines_proposal_id_proposals"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_lines")),
        sa.UniqueConstraint("proposal_id", "position", name=op.f("uq_proposal_lines_proposal_id_position")),
    )
    op.create_index(op.f("ix_proposal_lines_consultant_id"), "proposal_lines", ["consultant_id"], unique=False)
    op.create_table(
        "appointment_consultants",
        sa.Column("appointment_id", sa.BigInteger(), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointments.id"], name=op.f("fk_appointment_consultants_appointment_id_appointments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["consultant_id"], ["consultants.id"], name=op.f("fk_appointment_consultants_consultant_id_consultants")),
        sa.PrimaryKeyConstraint("appointment_id", "consultant_id", name=op.f("pk_appointment_consultants")),
    )
    op.create_index(op.f("ix_appointment_consultants_consultant_id"), "appointment_consultants", ["consultant_id"], unique=False)
    op.create_table(
        "engagement_appointments",
        sa.Column("appointment_id", sa.BigInteger(), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointments.id"], name=op.f("fk_engagement_appointments_appointment_id_appointments")
        ),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_engagement_appointments_engagement_id_engagements")),
        sa.PrimaryKeyConstraint("appointment_id", name=op.f("pk_engagement_appointments")),
    )
    op.create_index(op.f("ix_engagement_appointments_engagement_id"), "engagement_appointments", ["engagement_id"], unique=False)
    op.create_table(
        "milestones",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("engagement_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.String(length=200), nullable=False),
        sa.Column("accepted_from", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name=op.f("ck_milestones_accepted")),
        sa.CheckConstraint("state IN ('planned', 'submitted', 'accepted')", name=op.f("ck_milestones_state")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_milestones_amount")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagements.id"], name=op.f("fk_milestones_engagement_id_engagements")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_milestones_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestones")),
        sa.UniqueConstraint("engagement_id", "position", name=op.f("uq_milestones_engagement_id_position")),
        sa.UniqueConstraint("order_id", name=op.f("uq_milestones_order_id")),
    )
    op.create_table(
        "retainers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("client_name", sa.String(length=200), nullable=False),
        sa.Column("client_email", postgresql.CITEXT(), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("po_number", sa.String(length=80), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("low_minutes", sa.Integer(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'active', 'expired', 'cancelled')", name=op.f("ck_retainers_state")),
        sa.CheckConstraint("low_minutes BETWEEN 0 AND minutes", name=op.f("ck_retainers_low")),
        sa.CheckConstraint("minutes > 0 AND rate > 0 AND drawn BETWEEN 0 AND minutes", name=op.f("ck_retainers_amounts")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_retainers_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retainers")),
        sa.UniqueConstraint("number", name=op.f("uq_retainers_number")),
        sa.UniqueConstraint("order_id", name=op.f("uq_retainers_order_id")),
        sa.UniqueConstraint("secret", name=op.f("uq_retainers_secret")),
    )
    op.create_table(
        "time_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("retainer_id", sa.BigInteger(), nullable=False),
        sa.Column("consultant_id", sa.BigInteger(), nullable=False),
        sa.Column("appointment_id", sa.BigInteger(), nullable=True),
        sa.Column("worked_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("unbilled", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("earned >= 0 AND unbilled >= 0", name=op.f("ck_time_logs_amounts")),
        sa.CheckConstraint("minutes BETWEEN 1 AND 1440 AND drawn BETWEEN 0 AND minutes", name=op.f("ck_time_logs_minutes")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_time_logs_appointment_id_appointments")),
        sa.ForeignKeyConstraint(["consultant_id"], ["consultants.id"], name=op.f("fk_time_logs_consultant_id_consultants")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_time_logs_order_id_orders")),
        sa.ForeignKeyConstraint(["retainer_id"], ["retainers.id"], name=op.f("fk_time_logs_retainer_id_retainers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_logs")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_time_logs_appointment_id")),
        sa.UniqueConstraint("key", name=op.f("uq_time_logs_key")),
    )
    op.create_index(op.f("ix_time_logs_consultant_id"), "time_logs", ["consultant_id"], unique=False)
    op.create_index(op.f("ix_time_logs_order_id"), "time_logs", ["order_id"], unique=False)
    op.create_index(op.f("ix_time_logs_retainer_id"), "time_logs", ["retainer_id"], unique=False)
    op.create_index(
        "ix_time_logs_unbilled", "time_logs", ["retainer_id"], unique=False, postgresql_where=sa.text("unbilled > 0 AND order_id IS NULL")
    )
    op.add_column("cart_lines", sa.Column("appointment_id", sa.BigInteger(), nullable=True))
    op.add_column("cart_lines", sa.Column("length_id", sa.BigInteger(), nullable=True))
    op.alter_column("cart_lines", "ticket_type_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("cart_lines", "hold_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_unique_constraint(op.f("uq_cart_lines_appointment_id"), "cart_lines", ["appointment_id"])
    op.create_foreign_key(op.f("fk_cart_lines_length_id_offering_lengths"), "cart_lines", "offering_lengths", ["length_id"], ["id"])
    op.create_foreign_key(op.f("fk_cart_lines_appointment_id_appointments"), "cart_lines", "appointments", ["appointment_id"], ["id"])
    op.add_column("event_sessions", sa.Column("room_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_event_sessions_room_id"), "event_sessions", ["room_id"], unique=False)
    op.create_foreign_key(op.f("fk_event_sessions_room_id_rooms"), "event_sessions", "rooms", ["room_id"], ["id"])
    op.add_column("invoice_lines", sa.Column("appointment_id", sa.BigInteger(), nullable=True))
    op.add_column("invoice_lines", sa.Column("subject", sa.String(length=80), nullable=True))
    op.alter_column("invoice_lines", "registration_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_unique_constraint(op.f("uq_invoice_lines_appointment_id"), "invoice_lines", ["appointment_id"])
    op.create_unique_constraint(op.f("uq_invoice_lines_subject"), "invoice_lines", ["subject"])
    op.create_foreign_key(op.f("fk_invoice_lines_appointment_id_appointments"), "invoice_lines", "appointments", ["appointment_id"], ["id"])
    op.add_column("order_lines", sa.Column("appointment_id", sa.BigInteger(), nullable=True))
    op.add_column("order_lines", sa.Column("subject", sa.String(length=80), nullable=True))
    op.alter_column("order_lines", "registration_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("order_lines", "event_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("order_lines", "ticket_type_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_unique_constraint(op.f("uq_order_lines_appointment_id"), "order_lines", ["appointment_id"])
    op.create_unique_constraint(op.f("uq_order_lines_subject"), "order_lines", ["subject"])
    op.create_foreign_key(op.f("fk_order_lines_appointment_id_appointments"), "order_lines", "appointments", ["appointment_id"], ["id"])
    op.add_column("revenue_shares", sa.Column("appointment_id", sa.BigInteger(), nullable=True))
    op.add_column("revenue_shares", sa.Column("subject", sa.String(length=80), nullable=True))
    op.alter_column("revenue_shares", "session_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_unique_constraint(op.f("uq_revenue_shares_appointment_id"), "revenue_shares", ["appointment_id"])
    op.create_unique_constraint(op.f("uq_revenue_shares_subject"), "revenue_shares", ["subject"])
    op.create_foreign_key(
        op.f("fk_revenue_shares_appointment_id_appointments"), "revenue_shares", "appointments", ["appointment_id"], ["id"]
    )
    op.add_column("speakers", sa.Column("resource_id", sa.BigInteger(), nullable=True))
    for function in (MILESTONES_MAKE_THE_TOTAL, QUOTE_HOLDS, MILESTONES_HOLD):
        op.execute(function)
    op.execute(
        "CREATE CONSTRAINT TRIGGER total_holds AFTER INSERT OR UPDATE OF total ON engagements"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION engagement_total_holds()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER total_holds AFTER INSERT OR DELETE OR UPDATE OF amount, engagement_id ON milestones"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION milestone_total_holds()"
    )
    op.execute(RESOURCE_FOR_EACH_SPEAKER)
    op.execute(CLAIM_FOR_EACH_SESSION)
    op.alter_column("speakers", "resource_id", nullable=False)
    op.create_unique_constraint(op.f("uq_speakers_resource_id"), "speakers", ["resource_id"])
    op.create_foreign_key(op.f("fk_speakers_resource_id_resources"), "speakers", "resources", ["resource_id"], ["id"])
    for table, name, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def downgrade() -> None:
    for table, name, _ in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_constraint(op.f("fk_speakers_resource_id_resources"), "speakers", type_="foreignkey")
    op.drop_constraint(op.f("uq_speakers_resource_id"), "speakers", type_="unique")
    op.drop_column("speakers", "resource_id")
    op.drop_constraint(op.f("fk_revenue_shares_appointment_id_appointments"), "revenue_shares", type_="foreignkey")
    op.drop_constraint(op.f("uq_revenue_shares_subject"), "revenue_shares", type_="unique")
    op.drop_constraint(op.f("uq_revenue_shares_appointment_id"), "revenue_shares", type_="unique")
    op.alter_column("revenue_shares", "session_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("revenue_shares", "subject")
    op.drop_column("revenue_shares", "appointment_id")
    op.drop_constraint(op.f("fk_order_lines_appointment_id_appointments"), "order_lines", type_="foreignkey")
    op.drop_constraint(op.f("uq_order_lines_subject"), "order_lines", type_="unique")
    op.drop_constraint(op.f("uq_order_lines_appointment_id"), "order_lines", type_="unique")
    op.alter_column("order_lines", "ticket_type_id", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("order_lines", "event_id", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("order_lines", "registration_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("order_lines", "subject")
    op.drop_column("order_lines", "appointment_id")
    op.drop_constraint(op.f("fk_invoice_lines_appointment_id_appointments"), "invoice_lines", type_="foreignkey")
    op.drop_constraint(op.f("uq_invoice_lines_subject"), "invoice_lines", type_="unique")
    op.drop_constraint(op.f("uq_invoice_lines_appointment_id"), "invoice_lines", type_="unique")
    op.alter_column("invoice_lines", "registration_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("invoice_lines", "subject")
    op.drop_column("invoice_lines", "appointment_id")
    op.drop_constraint(op.f("fk_event_sessions_room_id_rooms"), "event_sessions", type_="foreignkey")
    op.drop_index(op.f("ix_event_sessions_room_id"), table_name="event_sessions")
    op.drop_column("event_sessions", "room_id")
    op.drop_constraint(op.f("fk_cart_lines_appointment_id_appointments"), "cart_lines", type_="foreignkey")
    op.drop_constraint(op.f("fk_cart_lines_length_id_offering_lengths"), "cart_lines", type_="foreignkey")
    op.drop_constraint(op.f("uq_cart_lines_appointment_id"), "cart_lines", type_="unique")
    op.alter_column("cart_lines", "hold_id", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("cart_lines", "ticket_type_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("cart_lines", "length_id")
    op.drop_column("cart_lines", "appointment_id")
    op.drop_index("ix_time_logs_unbilled", table_name="time_logs", postgresql_where=sa.text("unbilled > 0 AND order_id IS NULL"))
    op.drop_index(op.f("ix_time_logs_retainer_id"), table_name="time_logs")
    op.drop_index(op.f("ix_time_logs_order_id"), table_name="time_logs")
    op.drop_index(op.f("ix_time_logs_consultant_id"), table_name="time_logs")
    op.drop_table("time_logs")
    op.drop_table("retainers")
    op.drop_table("milestones")
    op.drop_index(op.f("ix_engagement_appointments_engagement_id"), table_name="engagement_appointments")
    op.drop_table("engagement_appointments")
    op.drop_index(op.f("ix_appointment_consultants_consultant_id"), table_name="appointment_consultants")
    op.drop_table("appointment_consultants")
    op.drop_index(op.f("ix_proposal_lines_consultant_id"), table_name="proposal_lines")
    op.drop_table("proposal_lines")
    op.drop_table("offering_lengths")
    op.drop_index(op.f("ix_offering_consultants_consultant_id"), table_name="offering_consultants")
    op.drop_table("offering_consultants")
    op.drop_index(op.f("ix_engagement_events_engagement_id"), table_name="engagement_events")
    op.drop_table("engagement_events")
    op.drop_index(op.f("ix_engagement_documents_engagement_id"), table_name="engagement_documents")
    op.drop_table("engagement_documents")
    op.drop_index(op.f("ix_availability_rules_consultant_id"), table_name="availability_rules")
    op.drop_table("availability_rules")
    op.drop_index(op.f("ix_availability_exceptions_consultant_id"), table_name="availability_exceptions")
    op.drop_table("availability_exceptions")
    op.drop_index("ix_appointments_start", table_name="appointments", postgresql_where=sa.text("state <> 'cancelled'"))
    op.drop_index("ix_appointments_requested", table_name="appointments", postgresql_where=sa.text("state = 'requested'"))
    op.drop_index("ix_appointments_order", table_name="appointments")
    op.drop_index(op.f("ix_appointments_offering_id"), table_name="appointments")
    op.drop_index("ix_appointments_lapsing", table_name="appointments", postgresql_where=sa.text("held_until IS NOT NULL"))
    op.drop_index(op.f("ix_appointments_holder"), table_name="appointments")
    op.drop_index(op.f("ix_appointments_client_email"), table_name="appointments")
    op.drop_table("appointments")
    op.drop_index("ix_time_claims_resource", table_name="time_claims", postgresql_using="gist")
    op.drop_index("ix_time_claims_lapsing", table_name="time_claims", postgresql_where=sa.text("lapses_at IS NOT NULL"))
    op.drop_index(op.f("ix_time_claims_holder"), table_name="time_claims")
    op.drop_table("time_claims")
    op.drop_table("rooms")
    op.drop_table("proposed_milestones")
    op.drop_table("proposal_documents")
    op.drop_table("offerings")
    op.drop_table("engagements")
    op.drop_table("consultants")
    op.drop_table("resources")
    op.drop_index("uq_proposals_sent", table_name="proposals", postgresql_where=sa.text("state = 'sent'"))
    op.drop_index("uq_proposals_accepted", table_name="proposals", postgresql_where=sa.text("state = 'accepted'"))
    op.drop_index(op.f("ix_proposals_number"), table_name="proposals")
    op.drop_table("proposals")
    op.execute("DROP FUNCTION milestone_total_holds, engagement_total_holds, milestones_must_make_the_total")
