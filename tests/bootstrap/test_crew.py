"""What a supervisor does about its workers, by the clock of a table."""

from dataclasses import dataclass, field

import pytest

from enrol.bootstrap.workers.crew import Crew
from enrol.bootstrap.workers.worker import Action, Order, Patience, Phase, pause_after

PATIENCE = Patience(start=100, silence=20, retire=30, stop=25)


@dataclass
class Scene:
    """A crew, the time, and the processes that were started: 1, 2, 3 and so on."""

    crew: Crew
    at: float = 0.0
    pids: int = 0
    starts: list[tuple[int, int]] = field(default_factory=list)

    def act(self) -> list[tuple[str, int]]:
        """Have what is due done, and return it: an action with a number, or with a process."""
        done: list[tuple[str, int]] = []
        orders: tuple[Order, ...] | None = None
        while orders != ():
            self.crew, orders = self.crew.advance(at=self.at)
            for order in orders:
                if order.action is Action.START:
                    self.pids += 1
                    self.starts.append((order.number, self.crew.edition))
                    self.crew = self.crew.started(order, self.pids, at=self.at)
                done.append((order.action.name, order.pid or order.number))
        return done

    def ready(self, *pids: int) -> list[tuple[str, int]]:
        for pid in pids:
            self.crew = self.crew.ready(pid, at=self.at)
        return self.act()

    def ends(self, pid: int, code: int = -9) -> list[tuple[str, int]]:
        self.crew = self.crew.ended(pid, code, at=self.at)
        return self.act()

    def reloads(self, edition: int = 2) -> list[tuple[str, int]]:
        self.crew = self.crew.reload(edition)
        return self.act()

    def later(self, seconds: float, *alive: int) -> list[tuple[str, int]]:
        self.at += seconds
        for pid in alive:
            self.crew = self.crew.heard(pid, at=self.at)
        return self.act()

    def stop(self) -> list[tuple[str, int]]:
        self.crew, orders = self.crew.end(at=self.at)
        return [(each.action.name, each.pid) for each in orders] + self.act()


def begun(size: int = 2, *, overlaps: bool = True) -> Scene:
    """A crew whose first worker has been started."""
    scene = Scene(Crew(size, overlaps, PATIENCE))
    assert scene.act() == [("START", 1)]
    return scene


def serving(size: int = 2, *, overlaps: bool = True) -> Scene:
    """A crew whose workers serve."""
    scene = begun(size, overlaps=overlaps)
    assert scene.ready(1) == [("START", number) for number in range(2, size + 1)]
    assert scene.ready(*range(2, size + 1)) == []
    assert scene.crew.is_settled
    return scene


# Start and end


def test_a_server_is_ready_when_all_its_workers_are() -> None:
    scene = begun(3)
    assert scene.ready(1) == [("START", 2), ("START", 3)]
    scene.ready(3)
    assert not scene.crew.is_settled
    scene.ready(2)
    assert scene.crew.is_settled


def test_what_is_wrong_from_the_start_is_found_by_the_first_alone() -> None:
    scene = begun()
    assert scene.ends(1, 2) == []
    assert scene.crew.finished == 2


@pytest.mark.parametrize(("code", "said"), [(2, 2), (3, 3), (0, 1), (-9, 1)])
def test_what_fails_at_the_first_start_ends_everything_with_its_code(code: int, said: int) -> None:
    scene = begun()
    scene.ready(1)
    assert scene.ends(2, code) == [("STOP", 1)]
    scene.ends(1, 0)
    assert scene.crew.finished == said


def test_the_end_waits_for_all_and_has_the_worst_code() -> None:
    scene = serving()
    assert scene.stop() == [("STOP", 1), ("STOP", 2)]
    scene.ends(1, 1)
    assert scene.crew.finished is None
    scene.ends(2, 0)
    assert scene.crew.finished == 1


def test_the_end_of_all_that_finished_is_0() -> None:
    scene = serving(1)
    scene.stop()
    scene.ends(1, 0)
    assert scene.crew.finished == 0


def test_a_worker_told_to_go_before_it_was_ready_is_no_failure() -> None:
    scene = begun(1)
    assert scene.stop() == [("STOP", 1)]
    scene.ends(1, -15)
    assert scene.crew.finished == 0


def test_who_does_not_finish_in_time_is_killed() -> None:
    scene = serving(1)
    scene.stop()
    assert scene.later(24.9) == []
    assert scene.later(0.1) == [("KILL", 1)]
    scene.ends(1, -9)
    assert scene.crew.finished == 1


def test_a_second_signal_forces_within_two_seconds() -> None:
    scene = serving()
    scene.stop()
    assert scene.stop() == [("STOP", 1), ("STOP", 2)]
    assert scene.later(1.9) == [("KILL", 1), ("KILL", 2)]


def test_nothing_is_started_at_the_end() -> None:
    scene = serving()
    scene.stop()
    assert scene.ends(1) == []


# Failures


def test_a_worker_that_ends_is_replaced_at_once() -> None:
    scene = serving()
    assert scene.ends(2) == [("START", 2)]
    assert scene.ready(3) == []


def test_the_pause_grows_with_each_failure_and_is_bounded() -> None:
    assert [pause_after(n) for n in range(1, 9)] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert pause_after(10_000) == 30


def test_who_fails_again_and_again_is_started_less_often() -> None:
    scene = serving(1)
    assert scene.ends(1) == [("START", 1)]
    assert scene.ends(2, 1) == []
    assert scene.crew.wakes_at() == scene.at + 1
    assert scene.later(0.9) == []
    assert scene.later(0.1) == [("START", 1)]
    scene.ready(3)
    assert scene.ends(3) == []
    assert scene.later(2) == [("START", 1)]


def test_a_time_of_health_makes_up_for_failures() -> None:
    scene = serving(1)
    scene.ends(1)
    scene.ready(2)
    for _ in range(4):
        assert scene.later(15, 2) == []
    assert scene.ends(2) == [("START", 1)]


def test_a_start_that_the_system_refuses_is_tried_again() -> None:
    scene = serving(1)
    scene.crew = scene.crew.ended(1, -9, at=0).failed(1, at=0)
    assert scene.act() == []
    assert scene.later(1) == [("START", 1)]


def test_who_is_silent_is_killed_and_replaced() -> None:
    scene = serving()
    assert scene.later(15, 1, 2) == []
    assert scene.later(10, 2) == []
    assert scene.later(10, 2) == [("KILL", 1)]
    assert scene.ends(1) == [("START", 1)]


def test_who_was_heard_of_late_but_in_time_to_be_asked_lives() -> None:
    scene = serving()
    assert scene.later(1000, 1, 2) == []


def test_who_takes_too_long_to_start_is_killed() -> None:
    scene = serving(1)
    scene.ends(1)
    assert scene.later(99) == []
    assert scene.later(1) == [("KILL", 2)]


# Reload


def test_a_reload_replaces_one_after_the_other_when_the_next_is_ready() -> None:
    scene = serving()
    assert scene.reloads() == [("START", 1)]
    assert scene.ready(3) == [("RETIRE", 1)]
    assert scene.ends(1, 0) == [("START", 2)]
    assert scene.ready(4) == [("RETIRE", 2)]
    assert scene.ends(2, 0) == []
    assert scene.crew.is_settled
    assert scene.crew.proven == 2


def test_where_one_alone_may_have_the_register_it_goes_first() -> None:
    scene = serving(1, overlaps=False)
    assert scene.reloads() == [("RETIRE", 1)]
    assert scene.ends(1, 0) == [("START", 1)]
    assert scene.ready(2) == []
    assert scene.crew.is_settled


def test_a_crash_where_one_alone_may_have_the_register() -> None:
    scene = serving(1, overlaps=False)
    assert scene.ends(1) == [("START", 1)]


@pytest.mark.parametrize("code", [2, -9])
def test_settings_that_do_not_work_leave_the_old_workers(code: int) -> None:
    scene = serving()
    scene.reloads()
    assert scene.ends(3, code) == []
    assert scene.crew.is_settled
    assert (scene.crew.edition, scene.crew.proven) == (1, 1)


def test_settings_that_fail_later_are_taken_back() -> None:
    scene = serving()
    scene.reloads()
    scene.ready(3)
    scene.ends(1, 0)
    assert scene.ends(4, 2) == [("START", 1)]
    assert scene.ready(5) == [("RETIRE", 3)]
    scene.ends(3, 0)
    assert scene.crew.is_settled
    assert scene.starts[-1] == (1, 1)


def test_settings_that_do_not_work_alone_are_taken_back() -> None:
    scene = serving(1, overlaps=False)
    scene.reloads()
    scene.ends(1, 0)
    assert scene.ends(2, 2) == [("START", 1)]
    assert scene.starts[-1] == (1, 1)


def test_a_reload_during_a_reload_wins() -> None:
    scene = serving()
    scene.reloads(2)
    assert scene.reloads(3) == []
    assert scene.ready(3) == [("START", 1)]
    assert scene.ready(4) == [("RETIRE", 1), ("RETIRE", 3)]
    scene.ends(1, 0)
    assert scene.ends(3, 0) == [("START", 2)]
    assert scene.ready(5) == [("RETIRE", 2)]


def test_who_crashes_during_a_reload_comes_back_with_the_new_settings() -> None:
    scene = serving()
    scene.reloads()
    assert scene.ends(2) == [("START", 2)]
    assert scene.starts[-1] == (2, 2)


def test_who_retires_has_its_time_and_is_killed_then() -> None:
    scene = serving(1)
    scene.reloads()
    scene.ready(2)
    assert scene.later(15, 2) == []
    assert scene.later(15, 2) == [("KILL", 1)]


def test_a_reload_forgives_failures() -> None:
    scene = serving(1)
    scene.ends(1)
    scene.ends(2, 1)
    assert scene.reloads() == [("START", 1)]


def test_the_end_stops_a_reload() -> None:
    scene = serving()
    scene.reloads()
    assert scene.stop() == [("STOP", 1), ("STOP", 2), ("STOP", 3)]


def test_an_unknown_process_changes_nothing() -> None:
    crew = serving().crew
    assert crew.ended(99, 0, at=0) == crew.ready(99, at=0) == crew.heard(99, at=0) == crew
    assert {worker.phase for worker in crew.workers} == {Phase.SERVING}
