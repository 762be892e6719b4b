"""The table ``[approval]`` of the settings file."""

from datetime import date, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from enrol.registration.approval import Approval, ApprovalMode
from enrol.registration.effective import WorkingDays
from enrol.settings.sections import Section

ClockTime = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class ApprovalSection(Section, frozen=True):
    """``[approval]``: whether people approve registrations, and from when on clients work.

    With ``mode = "manual"`` a client is pending until `enrol admin approve`, with `four_eyes` until
    two different people have approved it; a pending client may be read, updated and deleted, and
    gets no token of its own. What an update changes has to be approved too, and the client is
    pending until then, unless only contacts change, or keys that qualified certificates vouch for,
    so that certificates are renewed without anybody of the bank.
    With ``effective = "next_working_day"`` what is approved, or in the mode ``"automatic"``
    registered, works from `time` of the next working day on, of the same day if that is one and it
    is before `cut_off`; both are HH:MM in `zone`. Updates work at once. Working days are Monday to
    Friday, without `holidays`.
    """

    mode: ApprovalMode = ApprovalMode.AUTOMATIC
    four_eyes: bool = False
    effective: Literal["at_once", "next_working_day"] = "at_once"
    cut_off: ClockTime = "09:59"
    time: ClockTime = "14:00"
    zone: str = "Europe/Paris"
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        """Refuse times without order or zone, and two people where none is asked for."""
        if self.four_eyes and self.mode is not ApprovalMode.MANUAL:
            raise ValueError('four_eyes is true, and mode is not "manual": nobody approves')
        if self.cut_off > self.time:
            raise ValueError("cut_off is after time, when the day has begun to count already")
        try:
            self.rules  # noqa: B018 - a zone is looked up where one is needed
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("zone is not a name of the IANA time zone database") from exc

    @property
    def rules(self) -> Approval:
        """How registrations become clients that work."""
        return Approval(self.mode, self.four_eyes, self._working_days)

    @property
    def _working_days(self) -> WorkingDays | None:
        if self.effective == "at_once":
            return None
        return WorkingDays(
            cut_off=time.fromisoformat(self.cut_off),
            time=time.fromisoformat(self.time),
            zone=ZoneInfo(self.zone),
            holidays=frozenset(self.holidays),
        )
