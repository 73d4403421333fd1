"""Today, search, and the pages of one's own login."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.desk import programme as catalogue
from seminars.desk import search as searching
from seminars.desk import today as queue
from seminars.kit import format as words
from seminars.people import permissions as may
from seminars.people import queries, users
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.shared.sessions import this_browser
from seminars.web.staff.door import acting, page, reading, staff
from seminars.web.staff.links import address_of


@staff.get("/")
@needs(may.use_desk)
def today() -> ResponseReturnValue:
    """What needs a person now, what is on today, and what comes next."""
    session, instant, zone = reading(), now(), joined().settings.center.zone
    items = queue.waiting(session, rights=lambda right: right(the_user()), user_id=the_user().id, now=instant)
    coming = catalogue.next_events(session, now=instant)
    midnight = datetime.combine(words.local(instant, zone).date(), time(), ZoneInfo(zone))
    return page(
        "today.html",
        section="Today",
        now=instant,
        items=[(item, queue.age(item.since, instant, zone), address_of(item.reference)) for item in items],
        on_today=catalogue.sessions_between(session, midnight, midnight + timedelta(days=1)),
        coming=coming,
        held=catalogue.seats_held(session, coming),
    )


@staff.get("/search")
@needs(may.use_desk)
def search() -> ResponseReturnValue:
    """A person, an order, an invoice or an event, found from anywhere."""
    text, user = request.args.get("q", "")[:200], the_user()
    found = searching.find(
        reading(),
        text,
        people=may.see_people_registered(user),
        orders_too=may.see_orders(user),
        letters=may.see_messages(user),
        meetings=may.manage_appointments(user),
        larger_work=may.see_engagements(user),
    )
    kinds = {one.kind: [(other, address_of(other.reference)) for other in found if other.kind == one.kind] for one in found}
    return page("search.html", words=text, kinds=kinds, shortest=searching.SHORTEST)


@staff.get("/sign-ins")
@needs(may.use_desk)
def sign_ins() -> ResponseReturnValue:
    """Where one is signed in."""
    here = this_browser()
    found = queries.sign_ins_of(reading(), the_user())
    return page("sign_ins.html", sign_ins=found, here=here, guarded=queries.has_second_factor(reading(), the_user()))


@staff.post("/sign-ins/end")
@needs(may.use_desk)
def end_sign_in() -> ResponseReturnValue:
    """Sign out in one other browser, or in all others."""
    one = request.form.get("browser", "")
    with acting() as session:
        if one:
            users.end_sign_in(session, the_user(), one)
        else:
            users.end_sign_ins(session, the_user(), keep=this_browser())
    flash("Signed out there." if one else "Signed out everywhere else.")
    return redirect(url_for("staff.sign_ins"), 303)


@staff.get("/second-factor")
@needs(may.use_desk)
def second_factor() -> ResponseReturnValue:
    """What one can prove one's identity with besides the password."""
    user = the_user()
    wanted = joined().settings.center.finance_second_factor and may.see_finance(user)
    return page("second_factor.html", person=user, wanted=wanted, passkeys=len(user.webauthn), codes=len(user.mf_recovery_codes or []))
