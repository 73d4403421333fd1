"""Migrations make exactly the tables that the models describe."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from seminars.local.migrating import is_migrated, newest_revision
from seminars.migrations.run import differences, head


def test_migrations_and_models_agree(owner_url):
    with create_engine(owner_url).connect() as connection:
        assert differences(connection) == []


def test_the_supervisors_quick_look_finds_the_same_head():
    assert newest_revision() == head()


def test_a_database_that_is_behind_is_seen(cluster, fresh_database):
    assert is_migrated(cluster, fresh_database.name)
    with cluster.connect(fresh_database.name) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")

    assert not is_migrated(cluster, fresh_database.name)


def test_two_revisions_without_an_heir_are_no_head(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f'revision: str = "{name}"\ndown_revision: str | None = None\n')

    assert newest_revision(tmp_path) is None


def test_the_application_owns_nothing_and_the_reader_changes_nothing(database):
    with create_engine(database.owner_url).connect() as connection:
        owners = connection.execute(text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        written = connection.execute(text(
            "SELECT DISTINCT privilege_type FROM information_schema.table_privileges WHERE grantee = 'seminars_read'"
        )).scalars().all()

    assert owners == ["seminars_owner"]
    assert written == ["SELECT"]
