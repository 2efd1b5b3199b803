"""Kinds of values that settings about mail have."""

from email.utils import parseaddr
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bot.config.values import refuse

Secret = Annotated[SecretStr, Field(min_length=1)]


def _mailbox(value: str) -> str:
    name, address = parseaddr(value)
    local, at, domain = address.rpartition("@")
    if not (local and at and "." in domain) or not value.isprintable() or " " in address:
        raise refuse(
            "must be a mail address, with a name before it if you like",
            'Write it like "Help desk <help@example.org>", in quotes.',
        )
    return f"{name} <{address}>" if name else address


def _bare_address(value: str) -> str:
    if parseaddr(_mailbox(value))[0]:
        raise refuse("must be a mail address without a name", 'Write it like "help@example.org".')
    return value


Mailbox = Annotated[str, AfterValidator(_mailbox), Field(max_length=320)]
"""``Name <address>``, or an address alone."""
MailAddress = Annotated[str, AfterValidator(_bare_address), Field(max_length=254)]
