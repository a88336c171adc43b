"""What every test may use. Devices are set up here, on import, because TensorFlow fixes them at its first operation."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def mirrored():
    """A strategy of two replicas that needs no accelerator."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice())


@pytest.fixture(autouse=True, scope="module")
def released_memory():
    """Frees a module's graphs and models when it is done."""
    yield
    keras.backend.clear_session()
    gc.collect()
