"""Every key and value of a composed recipe knows where it was written, and what it replaced."""

from __future__ import annotations

import pytest

from mlops_compiler.diagnostics import Span
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.provenance import within
from mlops_compiler.frontend.yaml_spans import written

RECIPE = """\
defaults:
  - /search: few
search:
  trials: 5
prepare:
  scale: {op: standardize, columns: [tenure, charges]}
  ratio:
    op: derive
    columns: {rate: "total / greatest(tenure, 1)"}
"""


@pytest.fixture
def compose(workspace):
    workspace.write("conf/search/few.yaml", "trials: 3\nalgorithm: random\n")
    workspace.recipe(RECIPE)
    return lambda *argv: workspace.compose("recipe=mini", *argv).provenance


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("search", "trials"), "recipes/mini.yaml:4:3", "recipes/mini.yaml:4:11"),
        (("search", "algorithm"), "conf/search/few.yaml:2:1", "conf/search/few.yaml:2:12"),
        (("prepare", "scale"), "recipes/mini.yaml:6:3", "recipes/mini.yaml:6:10"),
        (("prepare", "scale", "columns", 1), "recipes/mini.yaml:6:46", "recipes/mini.yaml:6:46"),
        (("prepare", "scale", "absent"), "recipes/mini.yaml:6:3", "recipes/mini.yaml:6:10"),
        ((), "recipes/mini.yaml:1:1", "recipes/mini.yaml:1:1"),
        (("deploy",), "recipes/mini.yaml:1:1", "recipes/mini.yaml:1:1"),
    ],
)
def test_files(compose, path, key, value):
    provenance = compose()
    assert provenance.key_span(path).place == key
    assert provenance.value_span(path).place == value


def test_what_was_overridden_is_known(compose):
    origin = compose("search={trials: 7}", "search.trials=8").origin(("search", "trials"))
    chain = []
    while origin is not None:
        chain.append(origin.value.place)
        origin = origin.overrode
    assert chain == [
        "command line: search.trials=8",
        "command line: search={trials: 7}",
        "recipes/mini.yaml:4:11",
        "conf/search/few.yaml:1:9",
    ]


@pytest.mark.parametrize(
    ("token", "path", "blamed"),
    [
        ("search.trials=80", ("search", "trials"), "80"),
        ("++search.trials=80", ("search", "trials"), "80"),
        ("prepare.scale.columns=[tenur,charges]", ("prepare", "scale", "columns"), "[tenur,charges]"),
        ("prepare.scale.columns=[tenur,charges]", ("prepare", "scale", "columns", 0), "tenur"),
        ("prepare.scale.columns=[a,ab,a]", ("prepare", "scale", "columns", 2), "a"),
        ("search={trials: 4, time: 5m}", ("search", "time"), "5m"),
        ("+prepare.new.op=drop", ("prepare", "new"), "drop"),
        ("prepare.scale.columns.1=other", ("prepare", "scale", "columns", 1), "other"),
    ],
)
def test_tokens(compose, token, path, blamed):
    span = compose(token).value_span(path)
    assert (span.text, written(span)) == (token, blamed)


def test_the_last_of_equal_items_is_the_last_one_written(compose):
    span = compose("prepare.scale.columns=[a,ab,a]").value_span(("prepare", "scale", "columns", 2))
    assert span.column == len("prepare.scale.columns=[a,ab,a]") - 1


def test_a_list_is_replaced_whole(compose):
    provenance = compose("prepare.scale.columns=[x]")
    assert ("prepare", "scale", "columns", 1) not in provenance.origins


def test_a_removed_key_is_forgotten(compose):
    provenance = compose("~prepare.scale")
    assert not [path for path in provenance.origins if path[:2] == ("prepare", "scale")]


def test_an_option_chosen_on_the_command_line_is_blamed_at_its_file(workspace):
    workspace.write("conf/search/few.yaml", "trials: 3\n")
    provenance = workspace.compose("recipe=mini", "search=few").provenance
    assert provenance.value_span(("search", "trials")).place == "conf/search/few.yaml:1:9"


def test_each_job_of_a_sweep_has_its_own(compose):
    jobs = launch(["-m", "recipe=mini", "search.trials=7,8"], lambda it: it)
    places = [job.provenance.value_span(("search", "trials")).place for job in jobs]
    assert places == ["command line: search.trials=7", "command line: search.trials=8"]


def test_every_value_has_an_origin(compose):
    def paths(value, path=()):
        for key, item in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield (*path, key)
            yield from paths(item, (*path, key))

    (job,) = launch(["recipe=mini", "search.time=5m", "+owner.name=me"], lambda it: it)
    assert set(paths(job.config)) == set(job.provenance.origins)


def test_a_word_inside_a_text_has_a_place(compose):
    span = compose().value_span(("prepare", "ratio", "columns", "rate"))
    narrowed = within(span, "tenure")
    assert narrowed.place == "recipes/mini.yaml:9:39"
    assert written(narrowed) == "tenure"
    assert within(span, "ten") == span
    assert within(span, "absent") == span


@pytest.mark.parametrize("word", ["", "a", "(", "é"])
def test_narrowing_never_leaves_the_span(word):
    span = Span(source="x", line=1, column=3, length=4, text="a (é a) a")
    narrowed = within(span, word)
    assert narrowed.column >= span.column
    assert narrowed.column + narrowed.length <= span.column + span.length
