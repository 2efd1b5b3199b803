"""What `check` and `doctor` look at, each with how to mend it. It writes nothing and disturbs no bot."""

from bot.doctor.examination import check, doctor
from bot.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "check", "doctor"]
