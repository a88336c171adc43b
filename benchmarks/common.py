"""What the benchmarks share: interleaved measurements, tables, and result files that name machine and versions."""

import argparse
import contextlib
import importlib.metadata
import inspect
import pkgutil
import time
from pathlib import Path
from unittest import mock

import keras
import numpy as np

from zoo import data, layers, machine, models, networks, optimizers
from zoo.files import make_folder, write_json

PACKAGES = ("gan-zoo", "tensorflow", "keras", "tensorflow-probability", "numpy", "torch")
SHAPE, BATCH_SIZE = (28, 28, 1), 64
# The constructor settings that each model needs for images of that shape, besides 64 filters if it takes `filters`.
SETTINGS = {
    "AffDG": {},
    "AffGAN": {},
    "ALI": {},
    "BiGAN": {},
    "CGAN": {"num_classes": 10},
    "CTGAN": {},
    "DCGAN": {},
    "DFM": {},
    "DRAGAN": {},
    "EBGAN": {},
    "FGAN": {},
    "GAN": {},
    "GAP": {},
    "ImprovedGAN": {},
    "LAPGAN": {},
    "LossSensitiveGAN": {},
    "LSGAN": {},
    "SemiSupervisedGAN": {"num_classes": 10},
    "SNGAN": {},
    "UnrolledGAN": {},
    "WGAN": {},
    "WGANGP": {},
}


def build(name, precision="float32", **settings):
    """The model of this name with the settings of the benchmarks, compiled with its paper's optimisers."""
    import zoo

    compiling = {key: settings.pop(key) for key in ("jit_compile",) if key in settings}
    kind = getattr(zoo, name)
    if "filters" in inspect.signature(kind).parameters:
        settings = {"filters": 64, **settings}
    keras.mixed_precision.set_global_policy(precision)
    try:
        model = kind(SHAPE, **{**SETTINGS[name], **settings})
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.compile(**compiling)
    return model


@contextlib.contextmanager
def keras_operators():
    """In this block, networks are built from Keras' own layers and trained by Keras' own Adam."""
    plain = {name: getattr(keras.layers, name) for name in ("Conv2D", "Conv2DTranspose", "LeakyReLU", "ReLU")}
    plain["FusedBatchNormalization"] = keras.layers.BatchNormalization
    modules = [layers, *(_modules(networks)), *(_modules(models))]
    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(optimizers, "Adam", keras.optimizers.Adam))
        for module in modules:
            for name in plain.keys() & vars(module).keys():
                patches.enter_context(mock.patch.object(module, name, plain[name]))
        yield


def _modules(package):
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def batches(rows, seed=0):
    """An infinite dataset that repeats four batches, made once, of the digits that ship with the zoo, with a margin."""
    import tensorflow as tf

    digits = data.load("digits").train
    chosen = np.random.default_rng(seed).integers(len(digits), size=4 * rows)
    margin = [(side - small) // 2 for side, small in zip(SHAPE, digits.images.shape[1:], strict=True)]
    images = np.pad(digits.images[chosen], [(0, 0), *((side, side) for side in margin)])
    batch = {"image": images, "label": digits.labels[chosen]}
    return tf.data.Dataset.from_tensor_slices(batch).batch(rows, drop_remainder=True).cache().repeat().prefetch(2)


def interleaved(variants, rounds=5, calls=1):
    """Seconds per call of each variant: `rounds` rounds of `calls` calls, in turn, so that a slow minute affects all.

    Args:
        variants: name -> function, which has already been called once if its first call is slower.
    """
    times = {name: [] for name in variants}
    for _ in range(rounds):
        for name, call in variants.items():
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times[name].append((time.perf_counter() - start) / calls)
    return times


def compared(times, baseline):
    """One row per variant: median and minimum milliseconds, and their ratios to those of the baseline."""
    rows = []
    for name, seconds in times.items():
        against = times[baseline]
        rows.append(
            {
                "variant": name,
                "median_ms": 1e3 * float(np.median(seconds)),
                "least_ms": 1e3 * float(np.min(seconds)),
                "median_ratio": float(np.median(seconds) / np.median(against)),
                "least_ratio": float(np.min(seconds) / np.min(against)),
            }
        )
    return rows


def parser(description, **options):
    """A command line with `--out` and the integer options that a benchmark takes, by name and default."""
    made = argparse.ArgumentParser(description=description.partition("\n")[0])
    made.add_argument("--out", type=Path, default=Path("benchmarks", "results"), help="folder for the JSON file")
    for name, default in options.items():
        made.add_argument(f"--{name}", type=type(default), default=default, help=f"default: {default}")
    return made


def report(question, arguments, rows, **facts):
    """Prints rows, dicts with the same keys, as a table; writes them, the machine and versions to OUT/QUESTION.json."""
    installed = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}
    versions = {name: importlib.metadata.version(name) for name in PACKAGES if name in installed}
    settings = {name: value for name, value in vars(arguments).items() if name != "out"}
    print(f"{machine.describe()}; {', '.join(f'{name} {version}' for name, version in versions.items())}")
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    make_folder(arguments.out)
    path = arguments.out / f"{question}.json"
    write_json(
        path,
        {"question": question, "machine": machine.describe(), "versions": versions, "settings": settings}
        | facts
        | {"rows": rows},
    )
    print(path)


def _cell(value):
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
