"""Trust in words: what an admin compares, what came of it, and what keeps clients from trusting the bot."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.taps import CANCEL, CONFIRM
from bot.domain.trust import CrossSigningTrouble, VerificationEnd
from bot.presentation.document import Bold, Code, Outside, Text, paragraph, sentence
from bot.presentation.emoji import EMOJI
from bot.presentation.language import Language
from bot.presentation.message import Message, fit
from bot.presentation.world import Setting, pill
from bot.services.views import Comparison, CrossSigningReport, OwnSessionReport, VerificationOver

_COMMAND: Final = "tickettruhe verify"
_TROUBLE: Final[Mapping[CrossSigningTrouble, str]] = MappingProxyType(
    {
        CrossSigningTrouble.FOREIGN: N_(
            "My account has cross-signing keys that I do not have. Put its recovery key into the config "
            "({setting}), and I use them."
        ),
        CrossSigningTrouble.WRONG_RECOVERY_KEY: N_(
            "The recovery key in the config ({setting}) does not open my account's secret storage."
        ),
        CrossSigningTrouble.NOTHING_STORED: N_(
            "The recovery key in the config ({setting}) is right, but my account's secret storage does not "
            "hold the cross-signing keys that are in use. Store them there with a client that has them."
        ),
        CrossSigningTrouble.NEEDS_PASSWORD: N_(
            "The homeserver takes my cross-signing keys only with my account's password. Let me log in with "
            "the password instead of a token once."
        ),
        CrossSigningTrouble.REFUSED: N_(
            "The homeserver does not take my cross-signing keys. Its operator may have to allow it."
        ),
    }
)
_ENDS: Final[Mapping[VerificationEnd, str]] = MappingProxyType(
    {
        VerificationEnd.DIFFERENT: N_(
            "❌ {person}, that was not the same, so it was called off. Somebody may be between us; "
            "tell whoever looks after the homeserver."
        ),
        VerificationEnd.CANCELLED: N_("{person}, the verification was called off by your client."),
        VerificationEnd.TIMEOUT: N_("{person}, the verification took too long and was called off."),
        VerificationEnd.RESTART: N_(
            "{person}, I was started anew, so the verification was called off. Please begin once more."
        ),
        VerificationEnd.BROKEN: N_(
            "❌ {person}, the verification was called off: your client did not say what it had to. If that "
            "happens again, somebody may be between us."
        ),
    }
)


def shown_names(emoji: Sequence[int], decimals: Sequence[int], language: Language) -> list[str]:
    """What is to be compared, piece by piece."""
    if decimals:
        return [str(number) for number in decimals]
    return [f"{sign} {language.gettext(name)}" for sign, name in (EMOJI[each] for each in emoji)]


def render_comparison(view: Comparison, setting: Setting) -> Message:
    """What the other client has to show, and how to say whether it does."""
    gettext = setting.language.gettext
    head = sentence(gettext("{person}, does your client show the same?"), person=pill(view.person))
    shown = paragraph(
        *(Bold(Text(piece)) for piece in shown_names(view.emoji, view.decimals, setting.language))
    )
    how = sentence(
        gettext("Tap {yes} only if all of it is the same in the same order, {no} if not, until {time}."),
        yes=Text(CONFIRM),
        no=Text(CANCEL),
        time=Text(setting.language.time(view.until, setting.zone)),
    )
    warning = sentence(
        gettext(
            "This came through the homeserver, as everything here does: whoever controls it could show you "
            "what they like. To be certain, compare with what {command} shows on the machine that I run on."
        ),
        command=Code(Text(_COMMAND)),
    )
    return fit((paragraph(head), shown, paragraph(how, warning)), mentions=(view.person.user_id,))


def render_over(view: VerificationOver, setting: Setting) -> Message:
    """What came of it."""
    gettext = setting.language.gettext
    person = pill(view.person)
    if view.end is not VerificationEnd.DONE:
        told = sentence(gettext(_ENDS[view.end]), person=person)
        return fit((paragraph(told),), mentions=(view.person.user_id,))
    done = sentence(gettext("✅ {person}, your client knows now that I am me."), person=person)
    mine = Text(
        gettext("I have signed your identity, too.")
        if view.signed
        else gettext("I could not sign your identity: your account or mine has no cross-signing keys.")
    )
    return fit((paragraph(done, mine),), notice=True)


def render_trouble(report: CrossSigningReport, setting: Setting) -> Message:
    """Why clients may hide what the bot says, or send it no keys."""
    gettext = setting.language.gettext
    head = Text(
        gettext("⚠️ My device is not signed by my account: some clients warn of me or share no keys with me.")
    )
    what = sentence(gettext(_TROUBLE[report.trouble]), setting=Code(Text("matrix.recovery_key_file")))
    return fit((paragraph(head, what),))


def render_own_session(report: OwnSessionReport, setting: Setting) -> Message:
    """Somebody is in the bot's account: one of the admins, or a thief."""
    gettext = setting.language.gettext
    head = sentence(
        gettext("⚠️ Another session of my account ({device}) wants to be verified by me. I do not do that."),
        device=Code(Outside(report.device_id)),
    )
    yours = gettext("If it is one of you: verify it there with my recovery key.")
    theirs = gettext("If it is none of you: log that session out, and change my password.")
    return fit((paragraph(head), paragraph(Text(yours), Text(theirs))))
