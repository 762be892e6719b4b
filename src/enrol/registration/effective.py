"""When something counts that a bank takes up on its working days (BPCE, limits of the API)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
_FIRST_OF_WEEKEND: Final = 5


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The days of a bank: Monday to Friday but `holidays`, by the clocks of `zone`.

    What is received before `cut_off` counts from `time` of the same day, all else from `time` of
    the next working day.
    """

    cut_off: time
    time: time
    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()

    def effective_at(self, received: datetime) -> datetime:
        """Return when what is received counts; both are aware, the answer is UTC."""
        local = received.astimezone(self.zone)
        day = local.date()
        if local.time() >= self.cut_off:
            day += _DAY
        while not self._is_working_day(day):
            day += _DAY
        return datetime.combine(day, self.time, self.zone).astimezone(UTC)

    def _is_working_day(self, day: date) -> bool:
        return day.weekday() < _FIRST_OF_WEEKEND and day not in self.holidays
