"""What can go wrong in the demo. The texts are for the person who started it.

DemoError
├── HomeserverError
├── BotFailed
├── FormFailed
├── PostFailed
└── Refused
"""


class DemoError(Exception):
    """The demo cannot do it; the text says why."""


class HomeserverError(DemoError):
    """The local homeserver cannot be started, has died, or refused an account."""


class BotFailed(DemoError):
    """The bot ended or did not become ready."""


class FormFailed(DemoError):
    """The contact form does not answer, or did not take what was entered."""


class PostFailed(DemoError):
    """The local mail server is not there."""


class Refused(DemoError):
    """The homeserver refused what a person wanted to do."""
