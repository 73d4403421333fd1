"""The forms of signing in, slowed down after wrong tries, and what Flask-Security asks of us: mails, codes, our address."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask_security import (
    LoginForm,
    MailUtil,
    MfRecoveryForm,
    SQLAlchemyUserDatastore,
    Totp,
    TwoFactorVerifyCodeForm,
    VerifyForm,
    WebauthnUtil,
)
from flask_security.utils import hash_password
from flask_security.webauthn import WebAuthnSigninForm, WebAuthnSigninResponseForm
from flask_wtf import FlaskForm
from sqlalchemy import select
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement, UserVerificationRequirement

from seminars.audit import recording
from seminars.db import db, transaction
from seminars.kit.references import reference
from seminars.messages import outbox
from seminars.people import letters, users
from seminars.people.models import User
from seminars.web.shared import joined, now, request_id

PAUSED = "We pause after several wrong tries. Please wait some minutes, then try again."


def _tried(form: FlaskForm, user: Any, proof: str | None, check: Callable[[], bool]) -> bool:
    """Whether the proof holds. It is counted against its name before it is looked at; while a name pauses, none is looked at."""
    if user is None:
        return bool(check())
    user_id = int(user.id)
    with transaction(by="visitor", request_id=request_id()) as session:
        looked_at = users.begin_try(session, user_id, now=now())
    if not looked_at:
        return False
    right = bool(check())
    with transaction(by="visitor", request_id=request_id()) as session:
        if right or not proof or "csrf_token" in form.errors:
            users.take_try_back(session, user_id)
        else:
            recording.note(session, "sign-in failed", reference("user", user_id), now=now())
    return right


class PasswordForm(LoginForm):
    """Address and password. Nobody is remembered beyond the session."""

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        address = (self.email.data or "").strip()
        user = db.session.scalar(select(User).where(User.email == address))
        right = _tried(self, user, self.password.data, lambda: super(PasswordForm, self).validate(**kwargs))
        if not right and not self.errors:
            hash_password(self.password.data)  # a pause takes as long as a wrong password
            self.password.errors = [PAUSED]
        return right


class AgainForm(VerifyForm):
    """The password once more, before something delicate."""

    def validate(self, **kwargs: Any) -> bool:
        right = _tried(self, self.user, self.password.data, lambda: super(AgainForm, self).validate(**kwargs))
        if not right and not self.errors:
            self.password.errors = [PAUSED]
        return right


class CodeForm(TwoFactorVerifyCodeForm):
    """The code of the authenticator. While it is being set up nothing is counted: the person is signed in."""

    def validate(self, **kwargs: Any) -> bool:
        right = _tried(self, None if self.is_setup else self.user, self.code.data, lambda: super(CodeForm, self).validate(**kwargs))
        if not right and not self.errors:
            self.code.errors = [PAUSED]
        return right


class RecoveryForm(MfRecoveryForm):
    """One of the codes kept for the day on which the telephone is lost."""

    def validate(self, **kwargs: Any) -> bool:
        right = _tried(self, self.user, self.code.data, lambda: super(RecoveryForm, self).validate(**kwargs))
        if not right and not self.errors:
            self.code.errors = [PAUSED]
        return right


class PasskeyForm(WebAuthnSigninForm):
    """Start of a sign-in by passkey. Nobody is remembered beyond the session, whatever the browser sends."""

    def validate(self, **kwargs: Any) -> bool:
        self.remember.data = False
        return bool(super().validate(**kwargs))


class PasskeyAnswerForm(WebAuthnSigninResponseForm):
    """What the passkey said."""

    def validate(self, **kwargs: Any) -> bool:
        self.remember.data = ""
        return bool(super().validate(**kwargs)) and self.user is not None and self.user.is_active


class UsedOnce(Totp):
    """Codes of an authenticator, each taken once (RFC 6238 §5.2)."""

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 0) -> bool:
        fresh = totp_secret != user.tf_totp_secret  # an authenticator that is being set up has taken no code yet
        if fresh:
            user.totp_counter = None
        return bool(super().verify_totp(token, totp_secret, user, window))

    def get_last_counter(self, user: Any) -> int | None:
        counter: int | None = user.totp_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.totp_counter = tmatch.counter


class Logins(SQLAlchemyUserDatastore):
    """Logins as Flask-Security keeps them, and the moment in which a passkey was made, which it leaves to us."""

    def create_webauthn(self, *args: Any, **kwargs: Any) -> None:
        super().create_webauthn(*args, **{"create_datetime": now(), **kwargs})


class AtOurAddress(WebauthnUtil):
    """Passkeys belong to the address that the installation was given, not to whatever a request says."""

    def origin(self) -> str:
        parts = urlsplit(joined().settings.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def authenticator_selection(self, user: Any, usage: str) -> AuthenticatorSelectionCriteria:
        return AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED if usage == "first" else ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        )


class ByOutbox(MailUtil):
    """Mails about logins go through the outbox like all others."""

    def send_mail(self, template: str, *_rendered: Any, **context: Any) -> None:
        user = context["user"]
        kind = template.rsplit("/", 1)[-1]
        if kind == "reset_instructions":
            with transaction(by="visitor", request_id=request_id()) as session:
                outbox.post(session, letters.password_reset(user, link=_ours(context["reset_link"])), now=now())
        elif kind in ("reset_notice", "change_notice"):
            # In the view's own transaction: the notice goes exactly when the new password holds.
            outbox.post(db.session(), letters.password_changed(user, now=now()), now=now())
        else:
            raise LookupError(f"There is no letter for {template}. Add one to people/letters.py.")


def _ours(link: str) -> str:
    """The link under the address that the installation was given: a forged Host changes nothing."""
    parts = urlsplit(link)
    return f"{joined().settings.base_url}{parts.path}"
