"""Made-up hospitals in six time zones on three continents, and the people who come from them."""

from dataclasses import dataclass

from seminars.orders.buyers import Buyer
from seminars.registration.places import Attendee


@dataclass(frozen=True)
class Hospital:
    """A client organisation."""

    name: str
    domain: str
    address: str
    country: str
    zone: str
    people: tuple[str, ...]


HOSPITALS = {
    "quillhaven": Hospital(
        "Quillhaven Regional Hospital", "quillhaven.example", "18 Mill Street\nQuillhaven, Colorado 80301", "US", "America/Denver",
        ("Anna Vestergren", "Samir Belhadj-Roux", "Greta Oyelaran", "Tom Achterberg"),
    ),
    "brackenmoor": Hospital(
        "Brackenmoor Health", "brackenmoor.example", "Moor Lane 2\nLeeds LS1 4QX", "GB", "Europe/London",
        ("Philippa Arden", "Rhys Calderwood", "Meera Sandhu-Pike", "Owen Thackeray", "Joan Fairweather"),
    ),
    "kirrawell": Hospital(
        "Kirrawell Medical Centre", "kirrawell.example", "77 Ridge Parade\nKirrawell NSW 2759", "AU", "Australia/Sydney",
        ("Bindi Marlowe", "Lachlan Petrakis", "Sunita Rao-Whitby"),
    ),
    "ostervik": Hospital(
        "Ostervik University Hospital", "ostervik.example", "Havnegata 11\n0150 Ostervik", "NO", "Europe/Oslo",
        ("Nora Dahlquist", "Jonas Ferrow", "Sigrid Aamot", "Henrik Lovaas"),
    ),
    "sandrift": Hospital(
        "Sandrift Health System", "sandrift.example", "400 Coral Avenue\nSandrift, Florida 32202", "US", "America/New_York",
        ("Tendai Chikwanha", "Marisol Quintero-Bay", "Devon Ashgrove", "Lena Fontaine", "Curtis Oyama"),
    ),
    "tarnwick": Hospital(
        "Tarnwick Children’s Hospital", "tarnwick.example", "5 Lakeshore Drive\nTarnwick, Wisconsin 53703", "US", "America/Chicago",
        ("Hollis Merriweather", "Ada Bergstrom", "Ravi Chandrasekar", "Bea Lindholm"),
    ),
    "umlangeni": Hospital(
        "Umlangeni District Hospital", "umlangeni.example", "1 Marula Road\nUmlangeni 3201", "ZA", "Africa/Johannesburg",
        ("Nomvula Dlomo", "Pieter van Aswegen"),
    ),
}  # fmt: skip

PROFESSIONS = ("Communication lead", "Nurse educator", "Physician", "Patient experience manager", "Legal counsel", "Content editor")


def email_of(name: str, hospital: Hospital) -> str:
    """first.last at the hospital, in plain letters."""
    first, _, last = name.lower().partition(" ")
    return f"{first}.{last.replace(' ', '').split('-')[0]}@{hospital.domain}"


def buyer(name: str, hospital: Hospital, *, po_number: str = "") -> Buyer:
    """Somebody who orders for their hospital."""
    return Buyer(name, email_of(name, hospital), hospital.name, hospital.address, hospital.country, po_number, hospital.zone)


def attendee(name: str, hospital: Hospital) -> Attendee:
    """Somebody who comes."""
    profession = PROFESSIONS[sum(map(ord, name)) % len(PROFESSIONS)]
    return Attendee(name, email_of(name, hospital), profession, "Vegetarian lunch" if name.startswith(("A", "M")) else "")
