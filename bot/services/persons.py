"""People of the chat, as every view names them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A Matrix user as a room shows them."""

    user_id: str
    name: str
