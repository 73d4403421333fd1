"""Sign-in of staff: password, authenticator, passkeys, recovery codes by Flask-Security; sessions, pauses, mails are ours."""

import base64
import hashlib
from typing import Any, cast

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import Security
from flask_security.signals import (
    password_changed,
    password_reset,
    tf_disabled,
    tf_profile_changed,
    user_authenticated,
    wan_deleted,
    wan_registered,
)

from seminars.audit import recording
from seminars.config import Settings
from seminars.db import db
from seminars.kit.references import fingerprint, reference
from seminars.people import users
from seminars.people.models import Role, User, WebAuthn
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.guards import signed_in_user
from seminars.web.shared.redirects import same_site
from seminars.web.staff import sign_in

WRONG = "That address and password do not match. After several wrong tries we also pause for some minutes."
WRONG_CODE = "That code does not fit. Each code works once, for half a minute. After several wrong tries we also pause."
WRONG_KEY = "That passkey opens no login here. Try another one, or sign in with the password."


def init_security(app: Flask, settings: Settings) -> Security:
    """Join Flask-Security to the application: pages only, sessions only, nobody remembered by a cookie of its own."""
    app.config.update(_configuration(settings))
    security = Security(
        app,
        sign_in.Logins(db, User, Role, WebAuthn),
        login_form=sign_in.PasswordForm,
        verify_form=sign_in.AgainForm,
        two_factor_verify_code_form=sign_in.CodeForm,
        mf_recovery_form=sign_in.RecoveryForm,
        wan_signin_form=sign_in.PasskeyForm,
        wan_signin_response_form=sign_in.PasskeyAnswerForm,
        mail_util_cls=sign_in.ByOutbox,
        totp_cls=sign_in.UsedOnce,
        webauthn_util_cls=sign_in.AtOurAddress,
    )
    security.want_json(lambda _request: False)
    # Nobody is known by a token: Flask-Security would look for one in the body of every request, before any limit of its size.
    app.login_manager.request_loader(lambda _request: None)  # type: ignore[attr-defined]
    app.before_request(_stay_here)
    app.before_request(_say_who_acts)
    for signal, hear in _HEARD:
        signal.connect(hear, app)
    return security


def _configuration(settings: Settings) -> dict[str, Any]:
    key = settings.secret_key
    recovery = base64.urlsafe_b64encode(hashlib.sha256(f"recovery-codes/{key}".encode()).digest())
    own = {
        "PASSWORD_SALT": fingerprint(f"password-salt/{key}"),
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_SINGLE_HASH": ["argon2"],
        "PASSWORD_LENGTH_MIN": 12,
        "TOTP_SECRETS": {"1": fingerprint(f"totp/{key}")},
        "TOTP_ISSUER": settings.center.name.replace(":", " "),
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_ALWAYS_VALIDATE": True,
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": [recovery],
        "WEBAUTHN": True,
        "WAN_RP_NAME": settings.center.name,
        "WAN_ALLOW_USER_HINTS": False,
        "RECOVERABLE": True,
        "CHANGEABLE": True,
        "RETURN_GENERIC_RESPONSES": True,
        "EMAIL_PLAINTEXT": False,
        "EMAIL_HTML": False,
        "SEND_PASSWORD_RESET_NOTICE_EMAIL": True,
        "LOGOUT_CSRF": True,
        "API_ENABLED_METHODS": ["session"],
        "STATIC_FOLDER": None,
        # An address that has a login is right as it stands; asking a name server about it would only keep its owner out.
        "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": True},
        # Its own is without a zone, and our columns keep no such time.
        "DATETIME_FACTORY": now,
        "MSG_GENERIC_AUTHN_FAILED": (WRONG, "error"),
        "MSG_INVALID_PASSWORD": (WRONG, "error"),
        "MSG_TWO_FACTOR_INVALID_TOKEN": (WRONG_CODE, "error"),
        "MSG_INVALID_RECOVERY_CODE": ("That recovery code does not fit, or was used before.", "error"),
        "MSG_PASSWORD_RESET_REQUEST": ("If there is a login with that address, a mail with a link is on its way to it.", "info"),
        "MSG_PASSWORD_RESET": ("Your new password is kept, and you are signed in.", "info"),
        "MSG_PASSWORD_RESET_NO_LOGIN": ("Your new password is kept. Please sign in with it.", "info"),
        "MSG_PASSWORD_CHANGE": ("Your new password is kept. Everywhere else you are signed out.", "info"),
        "MSG_TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": ("The authenticator is on. Make recovery codes next, and keep them safe.", "info"),
        "MSG_TWO_FACTOR_DISABLED": ("The authenticator is off.", "info"),
        "MSG_WEBAUTHN_REGISTER_SUCCESSFUL": ("The passkey “%(name)s” is added.", "info"),
        "MSG_WEBAUTHN_CREDENTIAL_DELETED": ("The passkey “%(name)s” is removed.", "info"),
        "MSG_WEBAUTHN_UNKNOWN_CREDENTIAL_ID": (WRONG_KEY, "error"),
        "MSG_WEBAUTHN_NO_VERIFY": (WRONG_KEY, "error"),
        "MSG_WEBAUTHN_MISMATCH_USER_HANDLE": (WRONG_KEY, "error"),
        "MSG_REAUTHENTICATION_SUCCESSFUL": ("Thank you. Now it can be changed.", "info"),
        "MSG_UNAUTHENTICATED": ("Please sign in to open that page.", "info"),
        "MSG_REAUTHENTICATION_REQUIRED": ("Please prove once more that it is you.", "info"),
    }
    return {f"SECURITY_{name}": value for name, value in (own | _ADDRESSES).items()}


_SECOND_STEP = ("security.two_factor_token_validation", "security.tf_select", "security.two_factor_rescue", "security.mf_recovery")
_ADDRESSES = {
    "LOGIN_URL": "/staff/sign-in",
    "LOGOUT_URL": "/staff/sign-out",
    "VERIFY_URL": "/staff/sign-in/again",
    "RESET_URL": "/staff/password/forgotten",
    "CHANGE_URL": "/staff/password",
    "TWO_FACTOR_TOKEN_VALIDATION_URL": "/staff/sign-in/code",
    "TWO_FACTOR_RESCUE_URL": "/staff/sign-in/help",
    "TWO_FACTOR_SELECT_URL": "/staff/sign-in/choose",
    "TWO_FACTOR_SETUP_URL": "/staff/second-factor/authenticator",
    "MULTI_FACTOR_RECOVERY_URL": "/staff/sign-in/recovery-code",
    "MULTI_FACTOR_RECOVERY_CODES_URL": "/staff/second-factor/recovery-codes",
    "WAN_SIGNIN_URL": "/staff/sign-in/passkey",
    "WAN_VERIFY_URL": "/staff/sign-in/again/passkey",
    "WAN_REGISTER_URL": "/staff/second-factor/passkeys",
    "WAN_DELETE_URL": "/staff/second-factor/passkeys/delete",
    "POST_LOGIN_VIEW": "/staff/",
    "POST_LOGOUT_VIEW": "/staff/sign-in",
    "POST_CHANGE_VIEW": "/staff/sign-ins",
    "TWO_FACTOR_POST_SETUP_VIEW": "/staff/second-factor",
    "WAN_POST_REGISTER_VIEW": "/staff/second-factor",
}


def _stay_here() -> ResponseReturnValue | None:
    """Refuse a way back that would lead away from this site; what our own pages write there never does.

    The pages of a second step are for who has not finished signing in: Flask-Security would sign others out for looking at them.
    """
    if request.endpoint in _SECOND_STEP and signed_in_user() is not None:
        return redirect(url_for("staff.today"))
    if request.blueprint == "security":
        for way in (*request.args.getlist("next"), *request.form.getlist("next")):
            if way and not same_site(way.removeprefix(joined().settings.base_url), ""):
                abort(400, "The address to go back to leads away from this site. Open the page you wanted from here.")
    return None


def _say_who_acts() -> None:
    """Flask-Security commits by itself: lay down for the audit who did it."""
    if request.blueprint == "security":
        user = signed_in_user()
        db.session().info.update(by=reference("user", user.id) if user else "visitor", request_id=request_id())


def _note(action: str, user: User) -> None:
    recording.note(db.session(), action, reference("user", user.id), now=now())


def _signed_in(_app: Flask, user: User, **_more: Any) -> None:
    person = _really(user)
    users.signed_in(db.session(), person, now=now())
    _note("signed in", person)


def _new_password(_app: Flask, user: User, **_more: Any) -> None:
    person = _really(user)
    users.end_sign_ins(db.session(), person)
    _note("changed the password", person)


def _second_factor(_app: Flask, user: User, **_more: Any) -> None:
    _note("changed the authenticator", _really(user))


def _no_second_factor(_app: Flask, user: User, **_more: Any) -> None:
    _note("turned the authenticator off", _really(user))


def _passkey_added(_app: Flask, user: User, **_more: Any) -> None:
    _note("added a passkey", _really(user))


def _passkey_removed(_app: Flask, user: User, **_more: Any) -> None:
    _note("removed a passkey", _really(user))


def _really(user: User) -> User:
    """The row behind Flask-Login's proxy."""
    return cast(User, user._get_current_object()) if hasattr(user, "_get_current_object") else user


_HEARD = (
    (user_authenticated, _signed_in),
    (password_changed, _new_password),
    (password_reset, _new_password),
    (tf_profile_changed, _second_factor),
    (tf_disabled, _no_second_factor),
    (wan_registered, _passkey_added),
    (wan_deleted, _passkey_removed),
)
