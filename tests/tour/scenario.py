"""The tour: the churn release served, replayed, watched, drifted, labelled, trained anew, canaried and rolled back.

Each stop is what somebody types, what it shows, and what must be true after it. The customers are real; one thing is
made up and said so: the dearer price list.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_compiler.monitoring.observed import predictions
from mlops_compiler.store.location import StoreLocation
from mlops_compiler.store.records import service_name
from tests.tour.recipe import Customers, lay_out, write_source
from tests.tour.traffic import OK, Client, Load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.tour.place import Inbox, Place

HERE = "cluster=in_process explain=none"
"""A small table needs no cluster to train on; the service has one of its own."""
UNAUTHORIZED, REFUSED = 401, 1


@dataclass(kw_only=True)
class Tour:
    """What the stops share.

    Attributes:
        place: Where commands are typed.
        inbox: The hook that is told.
        customers: The customers, in parts.
        client: Who asks the service.
        asked: What was asked in the course of the tour, and answered: the rows that a log must have.
    """

    place: Place
    inbox: Inbox
    customers: Customers = field(default_factory=Customers.read)
    client: Client = field(init=False)
    asked: int = 0

    def ask_about(self, rows: Any) -> list[dict[str, Any]]:
        """Ask about customers, and wait until the store has all that was answered so far."""
        answers = self.client.ask_about(rows)
        self.asked += len(answers)
        self.await_log()
        return answers

    def await_log(self) -> None:
        """Wait until what was answered is in the store: a service writes every few seconds."""
        store = StoreLocation(url=str(self.place.root / ".mlops"))
        self.place.wait_for(
            lambda: predictions(store, service_name("churn", "production")).height >= self.asked,
            "the log of predictions",
        )


def train(tour: Tour) -> None:
    """A company that sells no fibre yet has 1,500 customers. Their churn is learned, judged, and released."""
    lay_out(tour.place, tour.customers)
    tour.place.type("check recipe=churn")
    tour.place.type(f"run recipe=churn {HERE}", result=True, lines=60)
    assert "release 1" in tour.inbox.about("release 1")


def promote(tour: Tour) -> None:
    """Production asks for an approval, and for other eyes than those. Then the release is served, and the holdout is
    replayed through the service before it is said to be there."""
    place = tour.place
    place.type("promote recipe=churn", by="bob", code=REFUSED)
    place.type("approve recipe=churn release=1 note='scores and card read'", by="ann")
    place.type("promote recipe=churn", by="ann", code=REFUSED)
    said = place.type("promote recipe=churn", by="bob")
    assert "to the last bit" in said
    place.type("status recipe=churn")


def keys(tour: Tour) -> None:
    """Nobody is answered without an API key."""
    place = tour.place
    assert Client(port=place.port).post("/churn", {})[0] == UNAUTHORIZED
    made = place.ask("keys create recipe=churn name=crm roles=predict,label expires=90d")
    tour.client = Client(port=place.port, key=made["secret"])
    place.type("keys list recipe=churn")


def watch(tour: Tour) -> None:
    """500 such customers are asked about. Monitoring compares them with those that the model learned from."""
    tour.ask_about(tour.customers.quiet)
    tour.place.type("monitor recipe=churn", code=0)


def drift(tour: Tour) -> None:
    """The price list shifts: the next 500 pay a quarter more (this is made up; the customers are real). It is an alert,
    and the hook is told why, and what to type next."""
    tour.ask_about(tour.customers.shifted)
    tour.place.type("monitor recipe=churn", code=REFUSED)
    message = tour.inbox.about("monthly_charges")
    tour.place.say("The hook was told:")
    tour.place.show(message)


def label(tour: Tour) -> None:
    """Fibre comes, and its customers with it: 1,000 of all kinds are asked about. A month later it is known who left:
    the labels come by the ids of the answers, and the first one told stands."""
    new = tour.customers.new
    answers = tour.ask_about(new)
    tour.place.type(f"trace {answers[0]['id']} recipe=churn")
    assert tour.client.tell(answers, new["churn"].to_list()) == new.height
    lie = "No" if new["churn"][0] == "Yes" else "Yes"
    tour.client.tell(answers[:1], [lie])
    assert tour.place.ask(f"trace {answers[0]['id']} recipe=churn")["outcome"] == new["churn"][0]
    tour.place.type("labels recipe=churn")
    tour.place.type("monitor recipe=churn", code=REFUSED)


def retrain(tour: Tour) -> None:
    """What was predicted wrongly comes back to training, no more of it than a tenth; the other rows are the newest of
    the source. The new model must beat release 1 on rows that neither saw."""
    write_source(tour.place, tour.customers.grown)
    tour.place.type("feedback recipe=churn")
    tour.place.type(f"retrain recipe=churn {HERE}", result=True, lines=60)
    tour.place.type("releases 2 recipe=churn")


def canary(tour: Tour) -> None:
    """Release 2 takes the place in steps of 20 %, 50 % and 100 %, while clients ask without a pause. None is lost."""
    place = tour.place
    place.type("approve recipe=churn release=2", by="ann")
    with Load(client=tour.client, customers=tour.customers.new) as load:
        place.type("promote recipe=churn release=2", by="bob")
        place.wait_for(lambda: load.answers[OK, 2] > 100, "answers of release 2")
    _tell_answers(tour, load)


def roll_back(tour: Tour) -> None:
    """Somebody has second thoughts: release 1 is back at once, and again no request is lost."""
    with Load(client=tour.client, customers=tour.customers.new) as load:
        tour.place.type("rollback recipe=churn reason='the call centre is not ready for it'", by="bob")
        before = load.answers[OK, 1]
        tour.place.wait_for(lambda: load.answers[OK, 1] > before + 100, "answers of release 1")
    _tell_answers(tour, load)
    tour.inbox.about("the call centre is not ready")


def look_back(tour: Tour) -> None:
    """Who did what is in the audit log, each entry chained to the one before; `doctor` follows the chain."""
    place = tour.place
    place.type("releases recipe=churn")
    place.type("audit recipe=churn limit=12")
    place.type("doctor recipe=churn")


STOPS: tuple[Callable[[Tour], None], ...] = (
    train, promote, keys, watch, drift, label, retrain, canary, roll_back, look_back
)  # fmt: skip


def _tell_answers(tour: Tour, load: Load) -> None:
    lost = {kind: count for kind, count in load.answers.items() if kind[0] != OK}
    assert not lost, lost
    by = ", ".join(f"{count:,} by release {kind[1]}" for kind, count in sorted(load.answers.items()))
    tour.place.say(f"{load.answers.total():,} requests in the meantime, none lost: {by}")
    tour.asked += load.answers.total()


@contextmanager
def ended(place: Place) -> Iterator[None]:
    """See to it that no service outlives the tour."""
    try:
        yield
    except BaseException:
        place.attempt("undeploy recipe=churn", "bob")  # what failed before is what is told
        raise
    place.type("undeploy recipe=churn", by="bob")


def walk(place: Place, inbox: Inbox, stops: Sequence[Callable[[Tour], None]] = STOPS) -> Tour:
    """Go from stop to stop.

    Raises:
        AssertionError: Something was not as it must be.
    """
    tour = Tour(place=place, inbox=inbox)
    with ended(place):
        for number, stop in enumerate(stops, start=1):
            place.out("")
            place.out(f"{number}. {stop.__name__.replace('_', ' ').capitalize()}")
            place.say(stop.__doc__ or "")
            stop(tour)
    return tour
