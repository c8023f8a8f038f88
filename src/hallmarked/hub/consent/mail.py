"""Mail for codes, through a server that whoever runs the hub names; without one, codes by mail are not offered."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTPUTF8

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.setting import Consent

SECONDS = 20
PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """A mail server, and who the hub is there."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, settings: Consent) -> Server | None:
        """Return the server of the settings; None when there is none.

        Raises:
            InputError: When the settings do not go together.
        """
        if not settings.smtp:
            return None
        security = settings.smtp_security
        host, _, port = settings.smtp.partition(":")
        if security not in PORTS or (port and not port.isdecimal()) or not host:
            raise InputError("consent.smtp is host or host:port, and consent.smtp_security starttls, tls or none")
        if "@" not in settings.smtp_from:
            raise InputError("consent.smtp_from has to be the address that mails come from")
        number = int(port) if port else PORTS[security]
        return cls(host, number, security, settings.smtp_from, settings.smtp_user, settings.smtp_password)


def send_mail(server: Server, to: str, subject: str, text: str) -> None:
    """Send one mail.

    Raises:
        InputError: When the address cannot be one.
        BackendError: When the server does not take it.
    """
    mail = EmailMessage(SMTPUTF8)
    try:
        mail["From"], mail["To"], mail["Subject"] = server.sender, to, subject
    except ValueError:
        raise InputError("mail cannot be sent to this address") from None
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    try:
        _deliver(server, mail)
    except (OSError, smtplib.SMTPException) as error:
        raise BackendError("the mail server did not take the mail; try again later") from error


def _deliver(server: Server, mail: EmailMessage) -> None:
    context = ssl.create_default_context()
    if server.security == "tls":
        opened: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        opened = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    with opened as connection:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
        connection.send_message(mail)
