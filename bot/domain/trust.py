"""Words of who the bot is to others' clients, and of how they make sure."""

from enum import StrEnum


class CrossSigningTrouble(StrEnum):
    """Why the bot's device is not signed by its account."""

    FOREIGN = "foreign"
    """The account has cross-signing keys that somebody else made, and no recovery key is given."""
    WRONG_RECOVERY_KEY = "wrong_recovery_key"
    """The recovery key that is given does not open the account's secret storage."""
    NOTHING_STORED = "nothing_stored"
    """It opens it, but the account's keys are not there, or are older ones."""
    NEEDS_PASSWORD = "needs_password"  # noqa: S105 - a word
    """The homeserver takes keys only with the account's password, and the bot has a token."""
    REFUSED = "refused"
    """The homeserver takes no keys in any way that the bot knows."""


class VerificationEnd(StrEnum):
    """What came of a verification."""

    DONE = "done"
    DIFFERENT = "different"
    """The admin, or their client, said that it is not the same on both sides."""
    CANCELLED = "cancelled"
    """By the other side."""
    TIMEOUT = "timeout"
    RESTART = "restart"
    """The bot was started anew, and knows nothing of it any more."""
    BROKEN = "broken"
    """Keys or messages were not what they had to be: an error, or an attack."""
