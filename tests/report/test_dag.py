from __future__ import annotations

import pytest

from mlops_compiler.report import dag

CHAIN = [{"stage": name, "action": "new"} for name in ("snapshot", "split", "prepare", "evaluate")]
STEPS = [
    {"step": "fill", "op": "impute"},
    {"step": "a_name_that_is_much_too_long_for_its_box_here", "op": "standardize"},
]


def with_parents(**parents):
    return [{**stage, **({"parents": parents[stage["stage"]]} if stage["stage"] in parents else {})} for stage in CHAIN]


@pytest.mark.parametrize("draw", [dag.draw_across, dag.draw_down], ids=["across", "down"])
class TestDrawing:
    def test_boxes_lie_inside_and_apart(self, draw):
        drawing = draw(with_parents(evaluate=["split", "prepare"]), STEPS)
        for box in drawing.boxes:
            assert box.x >= 0
            assert box.y >= 0
            assert box.x + box.width <= drawing.width
            assert box.y + box.height <= drawing.height
        for left, right in zip(drawing.boxes, drawing.boxes[1:], strict=False):
            assert left.x + left.width < right.x or left.y + left.height < right.y

    def test_steps_stand_in_the_preparation_only(self, draw):
        boxes = {box.title: box for box in draw(CHAIN, STEPS).boxes}
        assert boxes["prepare"].steps[0] == "fill: impute"
        assert boxes["prepare"].steps[1].endswith("…")
        assert not boxes["split"].steps

    def test_a_stage_follows_the_one_before_it_unless_it_says_otherwise(self, draw):
        assert len(draw(CHAIN, []).arrows) == 3
        assert len(draw(with_parents(prepare=["snapshot"], evaluate=["split", "prepare"]), []).arrows) == 4
        assert len(draw(with_parents(evaluate=[], prepare=["nowhere"]), []).arrows) == 1

    def test_stages_read_in_a_row_get_one_arrow(self, draw):
        reads_all = {"prepare": ["snapshot", "split"], "evaluate": ["snapshot", "split", "prepare"]}
        assert len(draw(with_parents(**reads_all), []).arrows) == 3

    def test_nothing_is_drawn_of_nothing(self, draw):
        assert draw([], STEPS).boxes == ()


def test_words_say_what_the_drawing_shows():
    assert dag.describe(CHAIN[:2]) == "The stages of the lifecycle in order: snapshot (new), split (new)."


def test_an_action_that_is_not_known_is_drawn_as_new():
    assert dag.draw_across([{"stage": "split", "action": "<odd>"}], []).boxes[0].action == "new"
