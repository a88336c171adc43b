"""Step time of every model, or of those named, compared with a bare loop of TensorFlow's and Keras' own operators.

    python benchmarks/step_time.py [MODEL ...] [--precision mixed_bfloat16] [--xla 1] [--rounds 5] [--steps 5]

The bare loop is a `tf.function` over the paper's step, without checks, logs or callbacks, on networks of Keras' own
layers and with Keras' own Adam. DCGAN, WGANGP and SNGAN are also compared with eager, channels-last PyTorch, with the
networks and updates of benchmarks/pytorch.py (`pip install -e '.[bench]'`).

The script also compares the first 20 losses of the zoo with those of the bare loop (`losses_apart`, the greatest
difference). Training amplifies rounding errors, so it does the same with the bare loop and a copy of it whose first
weights differ in their last bit (`losses_apart_by_rounding`).
"""

import contextlib
import sys

import common
import numpy as np
import tensorflow as tf

LOSSES = 20


def bare_loop(model):
    """A function of a batch that runs the step alone, in its own graph, and returns what the step reports."""
    step = tf.function(lambda batch: model.train_step(batch), autograph=False)

    def call(batch):
        logs = step(batch)
        model.step_counter.assign_add(1)
        return logs

    return call


def zoo_loop(model, data):
    """A function that makes one step in the same way as `fit`."""
    model.make_train_function()
    model.reset_metrics()
    iterator = iter(data)
    return lambda: model.train_function(iterator)


def losses_of(logs):
    return [float(logs[name]) for name in sorted(logs) if name.endswith("_loss")]


def greatest_difference(losses, others):
    return float(np.abs(np.subtract(losses, others)).max())


def measured(name, arguments):
    with common.keras_operators():
        bare, nudged = (common.build(name, arguments.precision) for _ in range(2))
    rows = common.BATCH_SIZE * bare.minibatch_count
    model = common.build(name, arguments.precision, jit_compile=bool(arguments.xla))
    if model.reference is not None:
        for one in (model, bare, nudged):
            one.take_reference_from(common.batches(max(rows, model.reference.shape[0])))
    for weight in nudged.trainable_weights:
        weight.assign(np.nextafter(weight.numpy(), np.float32(np.inf)))
    data = common.batches(rows)
    ours, bare_step, fed = zoo_loop(model, data), bare_loop(bare), iter(data)
    nudged_step, fed_too = bare_loop(nudged), iter(data)
    losses = [losses_of(bare_step(next(fed))) for _ in range(LOSSES)]
    apart = greatest_difference([losses_of(ours()) for _ in range(LOSSES)], losses)
    by_rounding = greatest_difference([losses_of(nudged_step(next(fed_too))) for _ in range(LOSSES)], losses)
    del nudged, nudged_step, fed_too
    ready = [lambda: float(ours()["generator_loss"]), lambda: float(bare_step(next(fed))["generator_loss"])]
    variants = dict(zip(("zoo", "plain TensorFlow"), ready, strict=True))
    with contextlib.suppress(ImportError):
        import pytorch

        if name in pytorch.STEPS and not arguments.xla:
            variants["PyTorch"] = pytorch.STEPS[name](rows, arguments.precision)
            variants["PyTorch"]()
    times = common.interleaved(variants, arguments.rounds, arguments.steps)
    result = []
    for row in common.compared(times, "plain TensorFlow"):
        speed = 1e3 * rows / row["median_ms"]
        distances = {"losses_apart": apart, "losses_apart_by_rounding": by_rounding}
        result.append({"model": name, **row, "images_per_second": speed, **distances})
    return result


def main():
    command = common.parser(__doc__, precision="float32", xla=0, rounds=5, steps=5)
    command.add_argument("models", nargs="*", help=f"of {', '.join(common.SETTINGS)} (default: all)")
    arguments = command.parse_args()
    rows = []
    for name in arguments.models or common.SETTINGS:
        rows += (added := measured(name, arguments))
        print(name, *(f"{row['variant']} {row['median_ratio']:.3f}" for row in added), file=sys.stderr, flush=True)
    common.report("step_time", arguments, rows)


if __name__ == "__main__":
    main()
