import subprocess
import sys

import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import checks


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2], [3]], "array of numbers"),
        (["a"], "real numbers"),
        ([1j], "real numbers"),
        ([None], "real numbers"),
        ([], r"shape \[0\]"),
        ([1.0, np.nan, np.inf], "2 NaN or infinite"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_by_name(values, message):
    with pytest.raises(InputError, match=f"`features`.*{message}"):
        checks.finite("features", values)


def test_rounding_may_leave_the_unit_interval():
    checks.in_unit_interval("images", [-1e-6, 1 + 1e-6])
    with pytest.raises(InputError, match=r"values in \[0, 255\]"):
        checks.in_unit_interval("images", [0, 255])


def test_importing_the_scores_loads_numpy_alone():
    code = "import sys, zoo.metrics; print({'tensorflow', 'keras', 'scipy', 'sklearn'} & sys.modules.keys() or 'none')"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "none"
