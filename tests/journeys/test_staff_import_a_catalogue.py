"""Hedda takes over a list of dates from another system, after she has seen what will become of it."""

from __future__ import annotations

from tests.journeys import working

LIST = """\
Ref;Headline;Subject;When;From;To;Where
W-1;Captions before lunch;Film;14.04.2027;09:00;12:00;Alder Hall
W-2;A post mortem of a post;Crisis;15.04.2027;13:00;16:00;Alder Hall
W-3;=HYPERLINK("http://elsewhere.example");Film;16.04.2027;09:00;12:00;Alder Hall
W-4;The day without an hour;Film;soon;;;Alder Hall
"""


def test_hedda_imports_a_list_once_and_only_once(running_center, visiting, tmp_path):
    (tmp_path / "spring.csv").write_text(LIST, encoding="utf-8")
    with visiting() as hedda:
        working.sign_in(hedda, working.PROGRAM)
        she_looks_at_the_file(hedda, tmp_path / "spring.csv")
        she_reads_it_another_way(hedda)
        hedda.press("Make these 3 events")
        hedda.reads("3 events are being made. You may leave this page.")
        running_center.run_job("take_imports")
        hedda.page.reload()
        hedda.reads("3 of 3 events")
        the_drafts_are_there(hedda)

        she_looks_at_the_file(hedda, tmp_path / "spring.csv")
        hedda.reads("0 events", "3 rows")  # read as it was read before: nothing is asked again
        assert hedda.page.get_by_role("row").filter(has_text="Known already").count() == 3
        assert hedda.page.get_by_role("button", name="Make these").count() == 0


def she_looks_at_the_file(hedda, file):
    working.go_to(hedda, "Programme")
    hedda.follow("Import")
    hedda.sees("Import a catalogue")
    hedda.page.get_by_label("File").set_input_files(file)
    hedda.fill("Seats of each event", "20")
    hedda.press("Look at the file")
    hedda.sees(file.name)


def she_reads_it_another_way(hedda):
    row = hedda.page.get_by_role("row")
    hedda.reads("The times name no zone. In which zone are they?")
    hedda.field("Zone of times that name none").select_option("America/Chicago")
    columns = hedda.part("Columns")
    columns.get_by_label("Title", exact=True).select_option("Headline")
    columns.get_by_label("Category").select_option("Subject")
    hedda.press("Look at it this way")
    hedda.sees("spring.csv")
    assert row.filter(has_text="Captions before lunch").count() == 1
    assert "Left out" in row.filter(has_text="The day without an hour").inner_text()


def the_drafts_are_there(hedda):
    working.go_to(hedda, "Programme")
    hedda.field("State").select_option(label="Draft")
    hedda.press("Show")
    for title in ("Captions before lunch", "A post mortem of a post", '=HYPERLINK("http://elsewhere.example")'):
        hedda.reads(title)
