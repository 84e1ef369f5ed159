"""Tells somebody by e-mail, through the mail server that was configured (SMTP, RFC 5321).

A mail is not sealed on its way: it says how many alerts of which kind there are, and of nobody.
"""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from service.notices.notice import Notice, NotTold
from service.settings import is_loopback

TIMEOUT_S = 15
PORTS = {"smtp": 25, "smtps": 465}
_LASTING = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go, and from whom they are: ``smtps://`` is TLS from the first byte on.

    Over ``smtp://`` TLS is begun (STARTTLS), or nothing is sent; but on this machine.
    """

    url: str
    sender: str

    def send(self, notice: Notice, to: str) -> None:
        """Send a mail and wait until the server has taken it; raises NotTold."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = parts.port or PORTS[parts.scheme]
        context = ssl.create_default_context()
        try:
            if parts.scheme == "smtps":
                way: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
            else:
                way = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
            with way:
                if parts.scheme == "smtp" and not is_loopback(host):
                    way.starttls(context=context)
                if parts.username:
                    way.login(unquote(parts.username), unquote(parts.password or ""))
                way.send_message(message_of(notice, self.sender, to))
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise _refused(max(codes, default=0)) from None
        except smtplib.SMTPResponseException as refused:
            raise _refused(refused.smtp_code) from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotTold(f"the mail server failed ({type(error).__name__})") from None


def message_of(notice: Notice, sender: str, to: str) -> EmailMessage:
    """The mail; its id is that of the notice, by which one that came twice is known."""
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = f"authmatch: {', '.join(notice.counts)}"
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{notice.notice_id}@authmatch>"
    message["Auto-Submitted"] = "auto-generated"
    where = f"Look at them: {notice.page}" if notice.page else "Look at them in the workbench."
    told = "\n".join(f"- {each}" for each in notice.counts)
    message.set_content(f"Alerts of authorizations:\n\n{told}\n\n{where}\n")
    return message


def _refused(code: int) -> NotTold:
    """What the server answered: a code of 500 and more is meant to last (RFC 5321, 4.2.1)."""
    return NotTold(f"the mail server answered {code}", is_lasting=code >= _LASTING)
