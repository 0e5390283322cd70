"""A model that could not answer rests: for how long, who tries whether it is back, and what ends it."""

import pytest

from turnwise.domain.errors import ModelUnavailable, RateLimited, TurnwiseError
from turnwise.models.cooldown import LONGEST, LONGEST_ASKED_FOR, SHORTEST, Cooldown

GONE = ModelUnavailable("gone")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def resting() -> tuple[Cooldown, Clock]:
    """A model that has just failed."""
    clock = Clock()
    cooldown = Cooldown(clock)
    fail(cooldown)
    return cooldown, clock


def fail(cooldown: Cooldown, error: TurnwiseError = GONE) -> None:
    with cooldown.attempt() as attempt:
        attempt.failed(error)


def rest(cooldown: Cooldown, clock: Clock) -> float:
    return cooldown.over_at - clock.now


def test_a_model_that_never_failed_does_not_rest():
    cooldown = Cooldown(Clock())
    assert cooldown.is_over
    assert cooldown.refusal("m") is None


def test_a_rest_is_over_when_its_time_has_come():
    cooldown, clock = resting()
    clock.now += SHORTEST - 0.1
    assert not cooldown.is_over
    clock.now += 0.1
    assert cooldown.is_over


def test_each_rest_is_twice_as_long_as_the_last_up_to_a_minute():
    cooldown, clock = resting()
    rests = [rest(cooldown, clock)]
    for _ in range(2000):  # a day and more without the model
        clock.now = cooldown.over_at
        fail(cooldown)
        rests.append(rest(cooldown, clock))
    assert rests[:6] == [SHORTEST, 8.0, 16.0, 32.0, LONGEST, LONGEST]
    assert rests[-1] == LONGEST == 60.0


@pytest.mark.parametrize(
    ("asked_for", "granted"),
    [(0.0, 0.0), (1.5, 1.5), (90.0, 90.0), (1e9, LONGEST_ASKED_FOR), (float("nan"), LONGEST_ASKED_FOR)],
)
def test_a_busy_model_rests_for_as_long_as_it_asks(asked_for: float, granted: float):
    clock = Clock()
    cooldown = Cooldown(clock)
    fail(cooldown, RateLimited("busy", retry_after=asked_for))
    assert rest(cooldown, clock) == granted


def test_a_busy_model_that_does_not_say_rests_like_any_other():
    clock = Clock()
    cooldown = Cooldown(clock)
    fail(cooldown, RateLimited("busy"))
    assert rest(cooldown, clock) == SHORTEST


def test_a_success_ends_the_rest_and_the_next_one_is_short_again():
    cooldown, clock = resting()
    clock.now = cooldown.over_at
    fail(cooldown)
    with cooldown.attempt() as attempt:
        attempt.succeeded()
    assert cooldown.is_over
    assert cooldown.refusal("m") is None
    fail(cooldown)
    assert rest(cooldown, clock) == SHORTEST


def test_one_turn_at_a_time_tries_whether_the_model_is_back():
    cooldown, clock = resting()
    clock.now = cooldown.over_at
    with cooldown.attempt():
        assert not cooldown.is_over
        with cooldown.attempt():  # somebody who asks all the same
            assert not cooldown.is_over
        assert not cooldown.is_over
    assert cooldown.is_over


def test_a_turn_that_breaks_in_another_way_lets_the_next_one_try():
    cooldown, clock = resting()
    clock.now = cooldown.over_at
    with pytest.raises(KeyboardInterrupt), cooldown.attempt():
        raise KeyboardInterrupt
    assert cooldown.is_over


def test_turns_that_fail_side_by_side_are_one_failure():
    clock = Clock()
    cooldown = Cooldown(clock)
    with cooldown.attempt() as one, cooldown.attempt() as other:
        one.failed(GONE)
        clock.now += 1
        other.failed(GONE)
    assert rest(cooldown, clock) == SHORTEST - 1


def test_what_is_said_of_a_model_that_rests_is_what_it_said_itself():
    cooldown, _ = resting()
    refusal = cooldown.refusal("m")
    assert isinstance(refusal, ModelUnavailable)
    assert refusal.message == "the model 'm' could not answer a moment ago: gone"


def test_a_busy_model_is_said_to_be_busy_for_the_rest_of_its_rest():
    clock = Clock()
    cooldown = Cooldown(clock)
    fail(cooldown, RateLimited("busy", retry_after=30))
    clock.now += 12
    refusal = cooldown.refusal("m")
    assert isinstance(refusal, RateLimited)
    assert refusal.retry_after == 18
