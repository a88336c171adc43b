"""The optimisers of the adversarial papers."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from zoo.errors import InputError, require_positive_number


def adam(learning_rate, beta_1=0.9, beta_2=0.999):
    """Adam with its paper's epsilon of 1e-8 (Kingma & Ba 2014), instead of Keras' 1e-7.

    Args:
        learning_rate: a number or a `keras.optimizers.schedules.LearningRateSchedule`.
        beta_1: the decay of the mean gradient, the "first momentum".
        beta_2: the decay of the mean squared gradient.

    Returns:
        A new `Adam`.

    Raises:
        InputError: the rate is not a positive number, or a decay lies outside [0, 1).
    """
    if not isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        require_positive_number(learning_rate=learning_rate)
    for name, decay in {"beta_1": beta_1, "beta_2": beta_2}.items():
        if not 0 <= decay < 1:
            raise InputError(f"`{name}` must lie in [0, 1). Received: {name}={decay!r}")
    return Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=1e-8)


def falling_adam(learning_rate, updates, beta_1=0.9, beta_2=0.999):
    """`adam` with a rate that falls linearly from `learning_rate` to 0 over `updates` updates."""
    rate = keras.optimizers.schedules.PolynomialDecay(learning_rate, updates, end_learning_rate=0.0)
    return adam(rate, beta_1, beta_2)


@keras.saving.register_keras_serializable("zoo")
class Adam(keras.optimizers.Adam):
    """Keras' Adam, with the same arguments, variables and checkpoints, but one fused op for the update of a weight.

    In Keras an update takes ten ops, each of which writes a tensor of the weight's size.
    """

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            return super().update_step(gradient, variable, learning_rate)
        return self.fused_update(gradient, variable, learning_rate, self.epsilon)

    def fused_update(self, gradient, variable, learning_rate, epsilon):
        """Updates both means and the weight by one op.

        The op divides by sqrt(v) + epsilon, and multiplies the rate by sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t).
        """
        kind = variable.dtype
        beta_1, beta_2, rate, epsilon, updates = (
            tf.cast(number, kind) for number in (self.beta_1, self.beta_2, learning_rate, epsilon, self.iterations + 1)
        )
        index = self._get_variable_index(variable)
        return tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1**updates,
            beta2_power=beta_2**updates,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=tf.cast(gradient, kind),
        )


@keras.saving.register_keras_serializable("zoo")
class HeldThenFalling(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is constant for two thirds of the updates and then falls linearly to 0 (Salimans et al. 2016's code).

    Args:
        learning_rate: the first rate.
        updates: how many updates there are in all.
    """

    def __init__(self, learning_rate, updates):
        self.learning_rate = learning_rate
        self.updates = updates

    def __call__(self, step):
        return self.learning_rate * tf.clip_by_value(3 - 3 * tf.cast(step, tf.float32) / self.updates, 0.0, 1.0)

    def get_config(self):
        return {"learning_rate": self.learning_rate, "updates": self.updates}


@keras.saving.register_keras_serializable("zoo")
class InnerEpsilonAdam(Adam):
    """Adam that divides by sqrt(v + epsilon), as in Salimans et al. (2016); Kingma & Ba's divides by sqrt(v) + epsilon.

    An epsilon of 1e-8 so bounds the divisor from below by 1e-4, which damps the updates for smaller gradients.

    Args:
        learning_rate: a number or a `keras.optimizers.schedules.LearningRateSchedule`.
        beta_1: the decay of the mean gradient.
        beta_2: the decay of the mean squared gradient.
        epsilon: is added to the mean squared gradient.
        **kwargs: the other arguments of `keras.optimizers.Adam`, except `amsgrad`.

    Raises:
        InputError: `amsgrad` is set, or `beta_2` is 0.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **kwargs):
        if kwargs.get("amsgrad") or not beta_2:
            raise InputError(
                "InnerEpsilonAdam needs a positive `beta_2` and has no AMSGrad. "
                f"Received: beta_2={beta_2}, amsgrad={bool(kwargs.get('amsgrad'))}"
            )
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        # The fused op has no epsilon under the square root, so v includes it while the op runs.
        square = self._velocities[self._get_variable_index(variable)]
        updates = tf.cast(self.iterations + 1, square.dtype)
        inner = self.epsilon * (1 - self.beta_2**updates)
        square.assign_add(tf.fill(square.shape, inner / self.beta_2))
        self.fused_update(gradient, variable, learning_rate, epsilon=0.0)
        square.assign_sub(tf.fill(square.shape, inner))


@keras.saving.register_keras_serializable("zoo")
class MomentumRampSGD(keras.optimizers.SGD):
    """Gradient descent whose rate decays at every update while its momentum rises.

    The rate is `max(learning_rate / decay ** updates, minimum)`; the momentum rises linearly from `momentum` to
    `final_momentum` over the first `ramp` updates. Pylearn2, which trained GAN and CGAN, adds up whole gradients: with
    a momentum m, a constant gradient moves a weight 1 / (1 - m) times as far as the rate says. Torch's `optim.sgd`,
    which trained LAPGAN, is `dampened`: it multiplies each gradient after the first by 1 - m, so that the weight moves
    as far as the rate says.

    Args:
        learning_rate: the first rate.
        decay: the number by which each update divides the rate.
        minimum: the rate's floor.
        momentum: the first momentum.
        final_momentum: the last momentum.
        ramp: how many updates the momentum takes to rise.
        dampened: whether every gradient after the first is multiplied by one minus the momentum.
        **kwargs: the other arguments of `keras.optimizers.SGD`, except `nesterov`.

    Raises:
        InputError: a momentum is out of range, or `nesterov` is set.
    """

    def __init__(
        self,
        learning_rate=0.1,
        decay=1.000004,
        minimum=1e-6,
        momentum=0.5,
        final_momentum=0.7,
        ramp=125_000,
        dampened=False,
        **kwargs,
    ):
        if not 0 < momentum <= final_momentum < 1:
            raise InputError(
                "`momentum` must be positive, `final_momentum` no less and below 1. "
                f"Received: momentum={momentum}, final_momentum={final_momentum}"
            )
        super().__init__(learning_rate, momentum=momentum, **kwargs)
        if self.nesterov:
            raise InputError("MomentumRampSGD has no Nesterov momentum. Received: nesterov=True")
        self.decay = decay
        self.minimum = minimum
        self.final_momentum = final_momentum
        self.ramp = ramp
        self.dampened = dampened

    def update_step(self, gradient, variable, learning_rate):
        updates = tf.cast(self.iterations, tf.float32)
        rate = tf.maximum(learning_rate * tf.exp(-updates * math.log(self.decay)), self.minimum)
        momentum = self.momentum + (self.final_momentum - self.momentum) * tf.minimum(updates / self.ramp, 1.0)
        if self.dampened:
            gradient *= tf.cast(tf.where(updates == 0, 1.0, 1 - momentum), gradient.dtype)
        velocity = self.momentums[self._get_variable_index(variable)]
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.value.handle,
            lr=tf.cast(rate, velocity.dtype),
            grad=tf.cast(gradient, velocity.dtype),
            momentum=tf.cast(momentum, velocity.dtype),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "decay": self.decay,
            "minimum": self.minimum,
            "final_momentum": self.final_momentum,
            "ramp": self.ramp,
            "dampened": self.dampened,
        }
