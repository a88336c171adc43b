"""A run killed without warning, at moments that nobody chose, ends as one never killed."""

import kills
import pytest


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_one_never_killed(tmp_path):
    kills.kill_and_compare("dcgan_digits", 2, seed=0, folder=tmp_path, say=lambda line: None)
