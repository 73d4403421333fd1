"""How a CSV file is to be read: what can be seen from it, and what staff must choose."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from seminars.catalog.reading.csv_table import Table, read_table
from seminars.catalog.reading.days_and_hours import (
    NotADay,
    Order,
    needs_an_order,
    orders_that_fit,
    parts_of,
    plain_word,
    read_day,
    read_hours,
)
from seminars.catalog.reading.plan import Question

# Headers as they are met, most telling first, in English, German, French, Spanish and Italian.
HEADERS = {
    "uid": "uid, ical uid, icaluid, event uid, guid",
    "id": "id, event id, session id, number, session number, no, nr, nummer, kursnummer, code, kennung",
    "title": (
        "title, subject, summary, event title, seminar, seminar title, session name, session title, event name, "
        "course title, talk title, event, course, name, topic, titel, betreff, veranstaltung, kurs, thema, titre, "
        "sujet, titulo, asunto, titolo, oggetto"
    ),
    "date": (
        "date, start date, day, session date, event date, begin date, datum, startdatum, beginndatum, tag, date de "
        "debut, jour, fecha, fecha de inicio, dia, data, data inizio, giorno, beginnt am, dates, when"
    ),
    "start": (
        "start, start time, starttime, starts, starts at, begin, begins, time, from, dtstart, start datetime, start "
        "date time, beginn, startzeit, anfang, uhrzeit, zeit, von, beginnt um, heure, heure de debut, debut, hora, "
        "hora de inicio, inicio, ora, ora inizio, inizio"
    ),
    "end_date": "end date, enddate, enddatum, endet am, date de fin, fecha de fin, data fine",
    "end": (
        "end, end time, endtime, ends, ends at, until, to, finish, dtend, end datetime, end date time, ende, endzeit, "
        "bis, endet um, heure de fin, fin, hora de fin, ora fine, fine"
    ),
    "minutes": "duration, minutes, length, duration minutes, dauer, duree, duracion, durata",
    "all_day": ("all day, all day event, allday, ganztagig, ganztagiges ereignis, journee entiere, todo el dia, tutto il giorno"),
    "zone": "timezone, time zone, zone, tz, tzid, zeitzone, fuseau horaire, zona horaria, fuso orario",
    "location": ("location, place, room, venue, where, ort, raum, veranstaltungsort, lieu, salle, lugar, ubicacion, luogo, sala"),
    "join_url": (
        "join url, join link, joining link, zoom, zoom link, zoom url, meeting link, meeting url, webinar link, teams "
        "link, online link, videolink"
    ),
    "url": "url, link, website, web page, webseite, web, site, page, registration link",
    "speaker": (
        "speaker, speakers, presenter, presenters, instructor, lecturer, teacher, referent, referentin, referenten, "
        "dozent, vortragende, intervenant, orateur, ponente, relatore"
    ),
    "description": "description, abstract, details, notes, body, beschreibung, inhalt, descripcion, descrizione, resume, resumen",
    "category": "category, categories, type, kind, track, module, series, kategorie, kategorien, art, categorie, categoria",
    "status": "status, state, stand, statut, estado, stato",
}
SYNONYMS = {name: tuple(headers.split(", ")) for name, headers in HEADERS.items()}
FIELDS = tuple(SYNONYMS)


@dataclass(frozen=True, kw_only=True)
class CsvChoices:
    """How a CSV file is read: which column holds which field, and what the file itself does not say.

    `order` says whether the day or the month stands first, `zone` where a row names none, `year` where a day names none,
    `minutes` how long a session lasts that has no end. `follow` decides when a row's label names an offset that its place did not
    have that day.
    """

    columns: dict[str, str] = field(default_factory=dict)
    order: Order | None = None
    zone: str | None = None
    year: int | None = None
    minutes: int | None = None
    days_without_time: bool = False
    follow: Literal["label", "place"] = "label"
    encoding: str | None = None
    delimiter: str | None = None


def guess_choices(data: bytes, encoding: str | None = None) -> tuple[CsvChoices, tuple[Question, ...]]:
    """The choices that the file itself suggests, and the questions it leaves open. Raises Unreadable for what is no table."""
    table = read_table(data, encoding=encoding)
    choices = CsvChoices(columns=guess_columns(table.header), encoding=encoding, delimiter=table.delimiter)
    days = day_cells(table, choices)
    fitting = orders_that_fit(days)
    # The evidence of the whole column: one 22/04 decides how 04/08 is read.
    if len(fitting) == 1:
        choices = replace(choices, order=next(iter(fitting)))
    choices = replace(choices, year=_only_year(days, choices))
    return choices, open_questions(table, choices)


def guess_columns(header: tuple[str, ...]) -> dict[str, str]:
    """Field → header. Each header is used once; whole names go before words within names."""
    plain = {name: _plain_header(name) for name in header if name}
    found: dict[str, str] = {}
    for whole in (True, False):
        for wanted, synonyms in SYNONYMS.items():
            if wanted in found:
                continue
            free = [name for name in plain if name not in found.values()]
            match = next((name for synonym in synonyms for name in free if _says(plain[name], synonym, whole=whole)), None)
            if match is not None:
                found[wanted] = match
    return found


def open_questions(table: Table, choices: CsvChoices) -> tuple[Question, ...]:
    """What must be chosen before this table can be read without guessing."""
    questions = []
    if "title" not in choices.columns:
        questions.append(Question("columns.title", "Which column holds the title?", table.header))
    if not {"date", "start"} & set(choices.columns):
        questions.append(Question("columns.date", "Which column holds the day?", table.header))
    days = day_cells(table, choices)
    if choices.order is None and (example := next((day for day in days if needs_an_order(day)), None)):
        questions.append(Question("order", f"In “{example}”, does the day or the month stand first?", ("day_first", "month_first")))
    if choices.year is None and (yearless := _first_without_year(days, choices)):
        questions.append(Question("year", f"“{yearless}” gives no year. Which one is meant?"))
    hours = [cell for cell in _cells(table, choices, "start") + days if _gives_hour(cell)]
    if hours and choices.zone is None and not (choices.columns.get("zone") and all(_zone_cells(table, choices))):
        questions.append(Question("zone", "The times name no zone. In which zone are they?"))
    if hours and choices.minutes is None and not {"end", "minutes"} & set(choices.columns) and not any(_is_range(cell) for cell in hours):
        questions.append(Question("minutes", "No row says when its session ends. How many minutes does one last?"))
    return tuple(questions)


def day_cells(table: Table, choices: CsvChoices) -> list[str]:
    """All texts of the table that are to be read as days, without their hours."""
    cells = [cell for name in ("date", "end_date") for cell in _cells(table, choices, name)]
    if "date" not in choices.columns:
        cells += _cells(table, choices, "start")
    return [parts_of(cell).day for cell in cells]


def _cells(table: Table, choices: CsvChoices, name: str) -> list[str]:
    header = choices.columns.get(name)
    return [cell for row in table.rows if (cell := row.cells.get(header, "").strip())] if header else []


def _zone_cells(table: Table, choices: CsvChoices) -> list[str]:
    """The zone of each row that gives a time, empty where it names none."""
    start, zone = choices.columns.get("start", ""), choices.columns["zone"]
    return [row.cells.get(zone, "").strip() for row in table.rows if row.cells.get(start, "").strip()]


def _gives_hour(cell: str) -> bool:
    return read_hours(parts_of(cell).hour or cell) is not None


def _is_range(cell: str) -> bool:
    hours = read_hours(cell)
    return hours is not None and hours[1] is not None


def _only_year(days: list[str], choices: CsvChoices) -> int | None:
    """The year of days that name none: the only one that other days of the column name."""
    years: Counter[int] = Counter()
    for text in days:
        try:
            years[read_day(text, order=choices.order, year=None).year] += 1
        except NotADay:
            continue
    return next(iter(years)) if len(years) == 1 and _first_without_year(days, choices) else None


def _first_without_year(days: list[str], choices: CsvChoices) -> str | None:
    for text in days:
        try:
            read_day(text, order=choices.order, year=None)
        except NotADay as trouble:
            if trouble.trouble == "year":
                return text
    return None


def _plain_header(name: str) -> str:
    divided = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(plain_word(word) for word in re.findall(r"[^\W_]+", divided))


def _says(header: str, synonym: str, *, whole: bool) -> bool:
    if whole:
        return header == synonym or header.replace(" ", "") == synonym.replace(" ", "")
    return len(synonym) > 3 and f" {synonym} " in f" {header} "
