"""Noor is invited to the desk, and proves who she is: by password, by the telephone, by a passkey; and what is not hers opens nothing."""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager
from secrets import token_bytes

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from passlib.totp import TOTP

from seminars.demo.staff import LOGINS, Login
from tests.journeys import working

ADMIN = LOGINS[-1]
PHRASE, NEW_PHRASE = "a lantern on the quay", "two lanterns on the quay"
REFUSED = "That address and password do not match"


def test_noor_is_invited_and_signs_in_with_a_code_and_with_a_recovery_code(running_center, visiting):
    noor = Login("front desk", "Noor Haddad", "noor.haddad@northfield.example", ("front_desk",))
    with visiting() as ines:
        ines_invites(ines, noor)
    with visiting() as her:
        she_sets_a_password(running_center, her, noor)
        totp, codes = she_sets_the_telephone_up(her)
        her.press("Sign out")
        her.sees("Sign in")
        she_signs_in(her, noor, PHRASE, "Your code")
        her.fill("Code", totp.generate(time=_next_step()).token)
        her.press("Sign in")
        her.sees(working.TODAY)
        her.press("Sign out")
        she_signs_in(her, noor, PHRASE, "Your code")
        her.follow("I do not have the telephone")
        her.sees("Recovery code")
        her.fill("Recovery code", "no-such-code")
        her.press("Sign in")
        her.reads("That recovery code does not fit")
        her.fill("Recovery code", codes[0])
        her.press("Sign in")
        her.sees(working.TODAY)
        her.open("/staff/second-factor")
        her.reads("7 codes left")


def test_noor_forgets_her_password_and_chooses_another(running_center, visiting):
    samira = Login("front desk", "Samira Holm", "samira.holm@northfield.example", ("front_desk",))
    with visiting() as ines:
        ines_invites(ines, samira)
    with visiting() as her:
        she_sets_a_password(running_center, her, samira)
        her.press("Sign out")
        her.follow("I have forgotten my password")
        her.sees("Choose a new password")
        her.fill("Email address", samira.email)
        her.press("Send me the link")
        _, letter = running_center.post.wait_for(samira.email, has_a_link, times=2)
        her.open(link_in(letter.text))
        her.sees("Choose a password")
        her.fill("New password", NEW_PHRASE)
        her.fill("The same again", NEW_PHRASE)
        her.press("Keep this password")
        running_center.post.wait_for(samira.email, lambda one: "changed" in one.subject, times=2)
        her.open("/staff/sign-in")
        she_signs_in(her, samira, PHRASE, "Sign in")
        her.reads(REFUSED)
        she_signs_in(her, samira, NEW_PHRASE, working.TODAY)


def test_tove_signs_in_with_a_passkey_and_nobody_does_with_a_wrong_one(running_center, visiting):
    tove = Login("front desk", "Tove Sandberg", "tove.sandberg@northfield.example", ("front_desk",))
    with visiting() as ines:
        ines_invites(ines, tove)
    with visiting() as her, a_key(her) as key:
        she_sets_a_password(running_center, her, tove)
        she_makes_a_passkey(her)
        [hers] = key("getCredentials")["credentials"]
        her.press("Sign out")
        with_the_passkey(her)
        her.sees(working.TODAY)
        her.reads(tove.name)
    for wrong in (of_another_maker(hers), unknown(hers)):
        with visiting() as stranger, a_key(stranger) as key:
            key("addCredential", credential=wrong)
            with_the_passkey(stranger)
            stranger.reads("That passkey opens no login here")
            stranger.open("/staff/")
            stranger.sees("Sign in")
    with visiting() as nobody, a_key(nobody):
        with_the_passkey(nobody)
        nobody.reads("The browser gave no passkey")


def ines_invites(ines, whom):
    working.sign_in(ines, ADMIN)
    working.go_to(ines, "People", heading="People who may sign in")
    ines.follow("Invite somebody")
    ines.press("Invite", within=ines.page.get_by_role("main"))
    ines.sees("3 things to correct", level=2)
    ines.fill("Name", whom.name, within=ines.page.get_by_role("main"))
    ines.fill("Email address", whom.email)
    ines.page.get_by_label("Front desk").check()
    ines.press("Invite", within=ines.page.get_by_role("main"))
    ines.reads(f"{whom.name} gets a mail with a link that sets a password.")


def she_sets_a_password(center, her, login):
    letter = center.post.wait_for(login.email, has_a_link)[0]
    her.open(link_in(letter.text))
    her.sees("Choose a password")
    her.fill("New password", PHRASE)
    her.fill("The same again", PHRASE)
    her.press("Keep this password")
    her.open("/staff/")
    if her.page.get_by_role("heading", name="Sign in", level=1).count():
        she_signs_in(her, login, PHRASE, working.TODAY)
    her.sees(working.TODAY)


def she_signs_in(her, login, phrase, then):
    her.fill("Email address", login.email)
    her.fill("Password", phrase)
    her.press("Sign in")
    her.sees(then)


def she_sets_the_telephone_up(her):
    """The telephone, and the recovery codes for the day on which it is lost."""
    her.open("/staff/second-factor/authenticator")
    her.press("Set up the authenticator")
    her.sees("Authenticator")
    her.fill("Code", "000000")
    her.press("Turn the authenticator on")
    her.reads("That code does not fit")
    her.press("Set up the authenticator")
    her.page.locator(".key").wait_for()
    totp = TOTP(key=her.page.locator(".key").inner_text())
    her.fill("Code", totp.generate().token)
    her.press("Turn the authenticator on")
    her.sees("Second proof of who you are")
    her.open("/staff/second-factor/recovery-codes")
    her.press("Make 8 new codes")
    her.sees("Recovery codes")
    codes = her.page.locator(".codes li").all_inner_texts()
    assert len(codes) == 8
    return totp, codes


def she_makes_a_passkey(her):
    her.open("/staff/second-factor/passkeys")
    her.fill("Name of the passkey", "blue key")
    her.page.get_by_label("Instead of the password").check()
    her.press("Add the passkey")
    her.sees("Second proof of who you are")
    her.reads("1 passkey")
    her.open("/staff/second-factor/passkeys")
    her.reads("blue key")


def with_the_passkey(her):
    her.open("/staff/sign-in")
    her.follow("Sign in with a passkey")
    her.sees("Sign in with a passkey")
    her.press("Use my passkey")


@contextmanager
def a_key(visitor):
    """A key in this person's browser (WebAuthn, CTAP2) that is touched whenever it is asked; yields what speaks to it."""
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    number = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    yield lambda act, **more: devtools.send(f"WebAuthn.{act}", {"authenticatorId": number, **more})
    devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": number})


def of_another_maker(credential):
    """A key that gives itself out for this one, and cannot sign as it does."""
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {**credential, "privateKey": base64.b64encode(private).decode(), "signCount": 50}


def unknown(credential):
    """A key that was never registered here."""
    return {**of_another_maker(credential), "credentialId": base64.b64encode(token_bytes(32)).decode()}


def has_a_link(letter):
    return "/staff/password/forgotten/" in letter.text


def link_in(text):
    return re.search(r"https?://\S+/staff/password/forgotten/\S+", text).group()


def _next_step():
    """The next half minute: each code opens once, and that of this one was used to set the telephone up."""
    import time

    return int(time.time()) + 30
