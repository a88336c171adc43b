"""Adam in one op against Keras', the optimisers of Pylearn2, Torch and Improved GAN against loops in NumPy."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import optimizers
from zoo.errors import InputError
from zoo.optimizers import Adam, HeldThenFalling, InnerEpsilonAdam, MomentumRampSGD

FAST = {"learning_rate": 0.1, "decay": 1.5, "minimum": 1e-3, "momentum": 0.5, "final_momentum": 0.9, "ramp": 8}
START = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENTS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def built(optimizer, value=START):
    variable = keras.Variable(value)
    optimizer.build([variable])
    return optimizer, variable


def updated(optimizer, variable, gradients):
    """The variable after each update."""
    values = []
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
        values.append(variable.numpy())
    return np.array(values)


def test_twenty_updates_are_those_of_the_schedule_written_out():
    value, velocity, expected, rates = START.astype(np.float64), np.zeros(3), [], []
    for count, gradient in enumerate(GRADIENTS):
        rates.append(max(0.1 / 1.5**count, 1e-3))
        momentum = 0.5 + 0.4 * min(count / 8, 1)
        velocity = momentum * velocity - rates[-1] * gradient
        value = value + velocity
        expected.append(value)
    assert rates[-1] == 1e-3  # the floor is part of the test
    np.testing.assert_allclose(updated(*built(MomentumRampSGD(**FAST)), GRADIENTS), expected, rtol=2e-6)


def torch_sgd(gradients, momentum, rate):
    """Torch7's `optim.sgd`, whose dampening is its momentum; the first gradient is not dampened."""
    value, velocity = 0.0, None
    for gradient in gradients:
        velocity = gradient if velocity is None else momentum * velocity + (1 - momentum) * gradient
        value -= rate * velocity
    return value


@pytest.mark.parametrize("momentum", [0.5, 0.7])
@pytest.mark.parametrize("gradients", [[1.0] * 100, np.random.default_rng(1).normal(size=100)], ids=["ones", "normal"])
def test_a_dampened_momentum_moves_as_torchs(momentum, gradients):
    settings = {"learning_rate": 0.02, "decay": 1.0, "momentum": momentum, "final_momentum": momentum, "dampened": True}
    moved = updated(*built(MomentumRampSGD(**settings), np.zeros(1, np.float32)), np.float32(gradients)[:, None])[-1]
    np.testing.assert_allclose(moved, torch_sgd(gradients, momentum, 0.02), rtol=2e-5)


@pytest.mark.parametrize(("updates", "rate"), [(0, 0.1), (500_000, 0.1 / 1.000004**500_000), (4_000_000, 1e-6)])
def test_the_published_rate_holds_after_many_updates(updates, rate):
    optimizer, variable = built(MomentumRampSGD(), np.zeros(1, np.float32))
    optimizer.iterations.assign(updates)
    assert updated(optimizer, variable, [[-1.0]]).item() == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize(("updates", "momentum"), [(0, 0.5), (62_500, 0.6), (125_000, 0.7), (10**6, 0.7)])
def test_the_published_momentum_rises_for_250_epochs_of_500_updates(updates, momentum):
    optimizer, variable = built(MomentumRampSGD(), np.zeros(1, np.float32))
    optimizer.iterations.assign(updates)
    optimizer.momentums[0].assign([1.0])
    assert updated(optimizer, variable, [[0.0]]).item() == pytest.approx(momentum, rel=1e-6)


def test_its_configuration_holds_every_argument():
    settings = {**FAST, "dampened": True, "clipnorm": 2.0}
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(MomentumRampSGD(**settings)))
    assert isinstance(optimizer, MomentumRampSGD)
    assert {name: pytest.approx(optimizer.get_config()[name]) for name in settings} == settings


def test_an_optimiser_that_gets_the_variables_of_another_goes_on_as_it_would():
    first, variable = built(MomentumRampSGD(**FAST))
    halfway = updated(first, variable, GRADIENTS[:10])[-1]
    second, restored = built(MomentumRampSGD(**FAST), halfway)
    for theirs, ours in zip(first.variables, second.variables, strict=True):
        ours.assign(theirs)
    np.testing.assert_array_equal(updated(second, restored, GRADIENTS[10:]), updated(first, variable, GRADIENTS[10:]))


FUSED = {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-8}


@pytest.mark.parametrize("extra", [{}, {"amsgrad": True}, {"clipnorm": 0.5}, {"weight_decay": 0.1}], ids=str)
def test_the_fused_adam_makes_the_updates_of_kerass(extra):
    ours, theirs = (updated(*built(kind(**FUSED, **extra)), GRADIENTS) for kind in (Adam, keras.optimizers.Adam))
    np.testing.assert_allclose(ours, theirs, rtol=2e-6)


def test_the_fused_adam_follows_a_schedule_and_leaves_what_has_no_gradient_in_a_row_to_keras():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    rows = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([1]), tf.constant([3, 2]))
    moved = []
    for kind in (Adam, keras.optimizers.Adam):
        optimizer, variable = built(kind(rate), np.ones((3, 2), np.float32))
        for gradient in (tf.ones([3, 2]), rows, tf.ones([3, 2])):
            optimizer.apply([gradient], [variable])
        moved.append(variable.numpy())
    np.testing.assert_allclose(*moved, rtol=1e-5)


def test_the_fused_adam_goes_on_from_a_checkpoint_of_kerass(tmp_path):
    first, variable = built(keras.optimizers.Adam(**FUSED))
    halfway = updated(first, variable, GRADIENTS[:10])[-1]
    path = tf.train.Checkpoint(optimizer=first).write(str(tmp_path / "adam"))
    second, restored = built(Adam(**FUSED), halfway)
    tf.train.Checkpoint(optimizer=second).read(path).assert_consumed()
    np.testing.assert_allclose(
        updated(second, restored, GRADIENTS[10:]), updated(first, variable, GRADIENTS[10:]), rtol=1e-6
    )


def test_the_fused_adam_updates_every_replica(mirrored):
    with mirrored.scope():
        optimizer, variable = built(Adam(**FUSED))
    mirrored.run(tf.function(lambda: optimizer.apply([tf.constant(GRADIENTS[0] / 2)], [variable])))
    expected = updated(*built(Adam(**FUSED)), GRADIENTS[:1])[-1]
    for replica in mirrored.experimental_local_results(variable.value):
        np.testing.assert_allclose(replica, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Adam, keras.optimizers.Adam),
        (functools.partial(InnerEpsilonAdam, epsilon=1e-16), functools.partial(keras.optimizers.Adam, epsilon=1e-8)),
        (
            functools.partial(MomentumRampSGD, decay=1.0, momentum=0.5, final_momentum=0.5),
            functools.partial(keras.optimizers.SGD, momentum=0.5),
        ),
    ],
    ids=["Adam", "InnerEpsilonAdam", "MomentumRampSGD"],
)
def test_gradients_are_accumulated_as_in_keras(ours, theirs):
    found, expected = (updated(*built(kind(0.1, gradient_accumulation_steps=2)), GRADIENTS) for kind in (ours, theirs))
    assert len(np.unique(expected[:, 0])) == 11  # with the start, the values of ten updates
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_fused_adam_is_saved():
    optimizer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Adam(**FUSED)))
    assert type(optimizer) is Adam
    assert optimizer.name.startswith("adam")
    assert optimizer.get_config().keys() == keras.optimizers.Adam().get_config().keys()


def test_adam_with_its_epsilon_under_the_root_is_the_loop_written_out():
    value, mean, square, expected = START.astype(np.float64), np.zeros(3), np.zeros(3), []
    gradients = GRADIENTS * [1e-6, 1e-4, 1.0]  # below the floor of 1e-4, at it and above
    for count, gradient in enumerate(gradients, start=1):
        mean = 0.5 * mean + 0.5 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        value = value - 0.1 * mean / (1 - 0.5**count) / np.sqrt(square / (1 - 0.9**count) + 1e-8)
        expected.append(value)
    moved = updated(*built(InnerEpsilonAdam(0.1, beta_1=0.5, beta_2=0.9)), gradients.astype(np.float32))
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    steps = np.abs(np.diff(moved, axis=0)).max(axis=0)
    assert steps[0] < 0.01 < 0.05 < steps[2]  # the floor damps small gradients


@pytest.mark.parametrize(
    ("setting", "received"), [({"beta_2": 0.0}, "beta_2=0.0"), ({"amsgrad": True}, "amsgrad=True")]
)
def test_what_adam_with_its_epsilon_under_the_root_cannot_do_is_refused(setting, received):
    with pytest.raises(InputError, match=f"Received: .*{received}"):
        InnerEpsilonAdam(**setting)


def test_adam_with_its_epsilon_under_the_root_is_saved():
    optimizer = InnerEpsilonAdam(0.003, beta_1=0.5)
    config = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer)).get_config()
    assert config == optimizer.get_config()


def test_a_rate_is_held_for_two_thirds_and_falls_to_0():
    rate = HeldThenFalling(0.3, 60)
    np.testing.assert_allclose([rate(step) for step in (0, 40, 50, 60, 70)], [0.3, 0.3, 0.15, 0, 0], atol=1e-7)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rate))
    assert restored.get_config() == rate.get_config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": -1.0}, "`learning_rate` must be positive. Received: learning_rate=-1.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be positive"),
        ({"learning_rate": 1e-3, "beta_1": 1.0}, r"`beta_1` must lie in \[0, 1\). Received: beta_1=1.0"),
        ({"learning_rate": 1e-3, "beta_2": -0.1}, "`beta_2` must lie in"),
    ],
)
def test_settings_with_which_adam_would_climb_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        optimizers.adam(**settings)
