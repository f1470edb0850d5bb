"""What SES tells of a mail that bounced or was called spam: the emulator does not, so that it is published here."""

from typing import Any

KINDS = {
    "bounce": ("Permanent", "General", "5.1.1"),
    "transient": ("Transient", "MailboxFull", "4.2.2"),
    "complaint": None,
}


def news(mail: dict[str, Any], tags: dict[str, str], kind: str) -> dict[str, Any]:
    """The event of a mail, as SES publishes it to a topic."""
    recipients, at = mail["To"], mail["Timestamp"]
    told = {
        "timestamp": at,
        "source": mail["Source"],
        "messageId": mail["MessageId"],
        "destination": recipients,
        "commonHeaders": {"to": recipients, "subject": mail["Subject"]},
        "tags": {name: [value] for name, value in tags.items()},
    }
    bounced = KINDS[kind]
    if bounced is None:
        complained = [{"emailAddress": address} for address in recipients]
        complaint = {"feedbackId": "1", "complainedRecipients": complained, "timestamp": at, "complaintFeedbackType": "abuse"}
        return {"eventType": "Complaint", "complaint": complaint, "mail": told}
    kind_of_bounce, sub_kind, status = bounced
    returned = [{"emailAddress": address, "action": "failed", "status": status} for address in recipients]
    bounce = {"feedbackId": "1", "bounceType": kind_of_bounce, "bounceSubType": sub_kind, "bouncedRecipients": returned}
    return {"eventType": "Bounce", "bounce": bounce | {"timestamp": at}, "mail": told}
