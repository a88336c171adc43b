"""What every test may use. Devices are set up here, on import, because TensorFlow fixes them at its first operation."""

import gc
import os

gc.disable()  # until all tests are collected; see `pytest_collection_finish`
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Whatever XLA compiles here runs for only a few steps, so its machine code need not be fast.
os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_backend_optimization_level=0", "--xla_cpu_use_fusion_emitters=false"]
)
# The processes of tests keep freed memory for their next graph: to return it and to fetch it again takes time.
os.environ |= {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(2**26),
    "MALLOC_TRIM_THRESHOLD_": str(2**31),
}

import psutil
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
# To optimise a graph would take longer than to run it. Programs that tests start optimise their graphs, and so do tests
# with the fixture `optimized_graphs`.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


# The files and folders under tests/ whose tests take long; most of these run processes of their own.
SLOW = (
    "artefacts/",
    "commands/",
    "data/test_dataset.py",
    "evaluation/",
    "features/",
    "layers/test_normalized_kernels.py",
    "models/test_affgan.py",
    "models/test_dfm.py",
    "models/test_gap.py",
    "models/test_lapgan.py",
    "models/test_semi_supervised_gan.py",
    "models/test_sn_gan.py",
    "models/test_unrolled_gan.py",
    "recipe/test_divergence.py",
    "recipe/test_few_labels.py",
    "recipe/test_many.py",
    "study/test_pages.py",
    "test_callbacks.py",
    "test_classifier.py",
    "test_console.py",
    "test_distributed_docs.py",
    "test_inspection.py",
    "test_install.py",
    "test_machine.py",
    "test_notebooks.py",
    "test_readme.py",
    "test_recipe.py",
    "test_restoring.py",
    "test_sample_metrics.py",
    "training/",
)
MUCH = 2**28  # bytes of graphs and models that are kept before their memory is released
# Fixtures that make a test slow: several replicas, a model server, a database server.
SLOW_FIXTURES = {"mirrored", "postgresql", "server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Marks each test as slow or quick: slow because of its file, of a fixture, or of its own mark."""
    for item in items:
        file = item.path.relative_to(config.rootpath / "tests").as_posix()
        if file.startswith(SLOW) or SLOW_FIXTURES.intersection(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


def pytest_collection_finish():
    """Hides the objects of TensorFlow and Keras from the garbage collector, which needs about a second per pass."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def mirrored():
    """A strategy of two replicas that needs no accelerator."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice())


@pytest.fixture
def optimized_graphs():
    """Optimises graphs as a user's process does, where rounded values are compared with those of another process."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(scope="session")
def soak_seconds():
    """How long a server is kept under load."""
    return float(os.environ.get("ZOO_SOAK_SECONDS", "10"))


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keeps images that tests decode out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAN_ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def process():
    """This process, and the bytes that it held when its memory was last released."""
    this = psutil.Process()
    this.held = this.memory_info().rss
    return this


@pytest.fixture(scope="session")
def release():
    """A function that frees the graphs of models that are not used any more.

    TensorFlow keeps the gradient of each `tf.custom_gradient` in a graph for ever, and with it the graph. Once the
    gradient is gone, that of a graph which was traced before can no longer be taken.
    """

    def forget_gradients():
        gradients = ops.gradient_registry._registry
        for name in [name for name in gradients if name.startswith("CustomGradient-")]:
            del gradients[name]
        gc.collect()

    return forget_gradients


@pytest.fixture(autouse=True, scope="module")
def released_memory(process, release):
    """Frees graphs and models between test modules whenever there are many of them, since a search takes time."""
    yield
    if process.memory_info().rss - process.held > MUCH:
        release()
        process.held = process.memory_info().rss
