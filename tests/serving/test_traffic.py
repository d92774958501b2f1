"""Traffic goes where the policy says; what the new release fails, the one in place answers, and it is counted."""

from __future__ import annotations

import asyncio
import json

import pytest

from mlops_compiler.serving.refusal import RequestRefused
from mlops_compiler.serving.traffic import Asked, Policy, Traffic
from mlops_compiler.store.served import ANSWER, CANARY, SHADOW

OLD, NEW = b'{"release":1,"decision":"No"}', b'{"release":2,"decision":"No"}'
OTHER = b'{"release":2,"decision":"Yes"}'


def policy(**changes):
    values = {"version": 1, "release": 2, "app": "new", "share": 1.0, "shadow": False, "patience": 5.0}
    return Policy(**values | changes)


class NewRelease:
    """Answers as it is told, and notes down what it is asked."""

    def __init__(self, answer=NEW, status=200, error=None, release=None):
        self.answer, self.status, self.error, self.hang = answer, status, error, release
        self.asked = []

    async def __call__(self, policy, asked):
        self.asked.append(asked)
        if self.hang is not None:
            await self.hang.wait()
        if self.error is not None:
            raise self.error
        return self.status, self.answer


async def here(_role=ANSWER):
    return OLD


async def refuses(_role=ANSWER):
    raise RequestRefused.no_rows(None)


def body(key):
    return json.dumps({"customer": key, "tenure": 3}).encode()


async def ask(traffic, content=b"{}", answer=here):
    return await traffic.answer(Asked(body=content, role=CANARY), answer)


async def settled(traffic):
    """Wait until what is done after an answer is done."""
    while traffic._workers:
        await asyncio.gather(*traffic._workers)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("mlops_compiler.serving.traffic._PAUSE", 0)


def test_without_a_policy_nothing_is_asked_or_counted():
    new = NewRelease()
    traffic = Traffic(1, "customer", new)
    assert asyncio.run(ask(traffic)) == (OLD, ANSWER)
    assert (new.asked, traffic.drain().old.requests) == ([], 0)


def test_a_release_is_not_sent_to_itself():
    traffic = Traffic(2, None, NewRelease())
    traffic.steer(policy())
    assert asyncio.run(ask(traffic)) == (OLD, ANSWER)


def test_all_requests_about_one_row_go_the_same_way_and_the_share_is_kept():
    traffic = Traffic(1, "customer", NewRelease())
    traffic.steer(policy(share=0.3))

    async def scenario():
        first = [(await ask(traffic, body(f"c{number}")))[1] for number in range(1000)]
        again = [(await ask(traffic, body(f"c{number}")))[1] for number in range(1000)]
        return first, again

    first, again = asyncio.run(scenario())
    assert first == again
    assert first.count(CANARY) == pytest.approx(300, abs=60)


def test_rows_without_a_key_are_dealt_by_chance():
    traffic = Traffic(1, None, NewRelease())
    traffic.steer(policy(share=0.5))

    async def scenario():
        return [(await ask(traffic))[1] for _ in range(1000)]

    assert asyncio.run(scenario()).count(CANARY) == pytest.approx(500, abs=100)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(NewRelease(error=RuntimeError("boom")), id="it raises"),
        pytest.param(NewRelease(status=500), id="it fails"),
        pytest.param(NewRelease(status=422), id="it refuses what the one in place takes"),
    ],
)
def test_what_the_new_release_fails_the_one_in_place_answers(new):
    traffic = Traffic(1, None, new)
    traffic.steer(policy())
    assert asyncio.run(ask(traffic)) == (OLD, ANSWER)
    counted = traffic.drain()
    assert (counted.new.requests, counted.new.errors) == (1, 1)


def test_a_release_that_hangs_costs_no_answer():
    async def scenario():
        traffic = Traffic(1, None, NewRelease(release=asyncio.Event()))
        traffic.steer(policy(patience=0.01))
        return await ask(traffic), traffic.drain()

    answer, counted = asyncio.run(scenario())
    assert answer == (OLD, ANSWER)
    assert counted.new.errors == 1


def test_what_both_refuse_is_the_fault_of_the_client():
    traffic = Traffic(1, None, NewRelease(status=422))
    traffic.steer(policy())
    with pytest.raises(RequestRefused):
        asyncio.run(ask(traffic, answer=refuses))
    assert traffic.drain().new.requests == 0


def test_a_release_that_fails_again_and_again_is_spared():
    new = NewRelease(error=RuntimeError("boom"))
    traffic = Traffic(1, None, new)
    traffic.steer(policy())

    async def scenario():
        return [await ask(traffic) for _ in range(20)]

    assert asyncio.run(scenario()) == [(OLD, ANSWER)] * 20
    counted = traffic.drain()
    assert (len(new.asked), counted.new.errors, counted.spared) == (5, 5, 15)


async def answer_in_the_end(traffic):
    """Ask, and let all that is done later be done."""
    answer = await ask(traffic)
    await settled(traffic)
    return answer


def test_answers_of_a_canary_are_compared():
    traffic = Traffic(1, None, NewRelease(answer=OTHER))
    traffic.steer(policy())

    assert asyncio.run(answer_in_the_end(traffic)) == (OTHER, CANARY)
    counted = traffic.drain()
    assert (counted.pairs, counted.differing) == (1, 1)


def test_a_shadow_is_compared_and_never_returned():
    new = NewRelease(answer=OTHER)
    traffic = Traffic(1, None, new)
    traffic.steer(policy(share=0.0, shadow=True))

    assert asyncio.run(answer_in_the_end(traffic)) == (OLD, ANSWER)
    counted = traffic.drain()
    assert [asked.role for asked in new.asked] == [SHADOW]
    assert (counted.new.requests, counted.old.requests, counted.pairs, counted.differing) == (1, 1, 1, 1)


def test_a_shadow_that_fails_is_counted_and_costs_nothing():
    traffic = Traffic(1, None, NewRelease(error=RuntimeError("boom")))
    traffic.steer(policy(share=0.0, shadow=True))

    assert asyncio.run(answer_in_the_end(traffic)) == (OLD, ANSWER)
    counted = traffic.drain()
    assert (counted.new.errors, counted.pairs) == (1, 0)


def test_comparisons_that_do_not_fit_are_counted():
    async def scenario():
        never = asyncio.Event()
        traffic = Traffic(1, None, NewRelease(release=never))
        traffic.steer(policy(share=0.0, shadow=True))
        answers = [await ask(traffic) for _ in range(200)]
        counted = traffic.drain()
        never.set()
        traffic.steer(None)
        await settled(traffic)
        return answers, counted

    answers, counted = asyncio.run(scenario())
    assert answers == [(OLD, ANSWER)] * 200
    assert counted.unpaired > 0


def test_what_is_no_json_stays():
    new = NewRelease()
    traffic = Traffic(1, "customer", new)
    traffic.steer(policy())
    with pytest.raises(RequestRefused):
        asyncio.run(ask(traffic, b"{", refuses))
    assert new.asked == []
