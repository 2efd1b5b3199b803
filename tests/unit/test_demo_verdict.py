"""The scripted round's verdict: what makes `make demo ARGS=--once` fail."""

from collections.abc import Callable

from bot.demo.verdict import IMPATIENCE, PATIENCE, Verdict


class Scene:
    """Waits for nothing: what does not hold now never will."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.told: list[tuple[str, bool]] = []
        self.verdict = Verdict(self._until, lambda name, met: self.told.append((name, met)))

    async def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        self.waited.append(seconds)
        return holds()


async def test_it_is_good_if_all_came_true() -> None:
    scene = Scene()
    await scene.verdict.expect("a card", lambda: True)
    scene.verdict.note("only once", met=True)

    assert scene.verdict.good
    assert scene.verdict.met == ("a card", "only once")
    assert scene.told == [("a card", True), ("only once", True)]


async def test_one_in_vain_spoils_it_whatever_comes_later() -> None:
    scene = Scene()
    await scene.verdict.expect("a card", lambda: False)
    await scene.verdict.expect("an answer", lambda: True)

    assert not scene.verdict.good
    assert scene.verdict.unmet == ("a card",)
    assert scene.told == [("a card", False), ("an answer", True)]


async def test_a_round_that_expected_nothing_is_not_good() -> None:
    assert not Scene().verdict.good


async def test_it_waits_less_patiently_after_a_disappointment() -> None:
    scene = Scene()
    for holds in (True, False, True):
        await scene.verdict.expect("something", lambda holds=holds: holds)  # type: ignore[misc]

    assert scene.waited == [PATIENCE, PATIENCE, IMPATIENCE]
