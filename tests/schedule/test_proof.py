"""A sample of `proofs.claims`: everybody at once for a little while."""

import pytest

from proofs import claims
from tests import cluster as clusters


@pytest.mark.parametrize("seed", [11])
def test_nobody_is_in_two_places_after_400_attempts_of_32_people(fresh_database: clusters.Database, seed: int, capsys) -> None:  # type: ignore[no-untyped-def]
    wrong = claims.prove(fresh_database.url, 400, seed, processes=1)

    told = capsys.readouterr().out
    assert not wrong, told
    assert "400 attempts over 32 connections" in told
    assert "0 refused" not in told.splitlines()[-3][:9]


def test_the_onlooker_sees_an_overlap_when_there_is_one(fresh_database: clusters.Database) -> None:
    import psycopg

    with psycopg.connect(fresh_database.owner_url.replace("+psycopg", "")) as owner:
        owner.execute("ALTER TABLE time_claims DROP CONSTRAINT ex_time_claims_one_at_a_time")
        owner.execute("INSERT INTO resources (kind, name) VALUES ('person', 'Ingrid Malmstedt')")
        for minute in (0, 59):
            owner.execute(
                "INSERT INTO time_claims (resource_id, kind, holder, starts_at, ends_at, label, override_reason, created_at)"
                " SELECT id, 'leave', 'consultant/1', %s::timestamptz, %s::timestamptz + interval '1 hour', '', '', now() FROM resources",
                [f"2027-03-08 09:{minute:02d}Z"] * 2,
            )
    findings = claims.Findings()

    claims.look(fresh_database.owner_url.replace("+psycopg", ""), findings)

    assert dict(findings.violations) == {"overlapping minutes": 1}
