"""Names of frameworks, as a trial may report them."""

import math

from kubetune_trainer.integrations.names import reportable
from kubetune_trainer.live import check_name


def test_every_number_can_be_reported():
    """Whatever a framework calls a metric, its number is reported, NaN too; texts are not."""
    found = reportable(
        {"eval/top-1": 0.5, "2nd": 1, "l" * 99: math.inf, "loss": math.nan, "t": "x", "b": True}
    )
    assert list(found) == ["eval_top_1", "_2nd", "l" * 63, "loss"]
    assert math.isnan(found["loss"])
    assert all(check_name(name) for name in found)
