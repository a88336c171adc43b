"""Keras on something else than TensorFlow is refused when a model is first named."""

import json
import os
import subprocess
import sys

import pytest


def message(tmp_path, settings, **variables):
    """The last line that `zoo.DCGAN` ends with in a home whose `keras.json` has these settings."""
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    command = [sys.executable, "-c", "import zoo; zoo.DCGAN"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    return ended.stderr.strip().splitlines()[-1]


def test_another_backend_is_refused_before_it_is_looked_for(tmp_path):
    assert message(tmp_path, {}, KERAS_BACKEND="jax").endswith(
        "The zoo needs Keras on TensorFlow: set KERAS_BACKEND=tensorflow, or unset it. Received: KERAS_BACKEND=jax"
    )


@pytest.mark.slow
def test_another_layout_is_refused(tmp_path):
    settings = {"backend": "tensorflow", "image_data_format": "channels_first"}
    assert message(tmp_path, settings).endswith("Received: tensorflow and channels_first")
