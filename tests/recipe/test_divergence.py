"""A training that diverges: whatever notices it first, the error names step, player and what stays usable."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import recipe
from zoo.errors import TrainingError
from zoo.models.gan import GAN
from zoo.optimizers import adam


class AtStep(keras.callbacks.Callback):
    """Does something to the model at the end of the epoch that ends at a step."""

    def __init__(self, step, action):
        super().__init__()
        self.step = step
        self.action = action

    def on_epoch_end(self, epoch, logs=None):
        if self.model.step == self.step:
            self.action(self.model)


class AfterBatch(AtStep):
    """The same after the batch of that number, counted from 0."""

    def on_epoch_end(self, epoch, logs=None):
        pass

    def on_train_batch_end(self, batch, logs=None):
        if batch == self.step:
            self.action(self.model)


def network(inputs, outputs):
    hidden = [keras.layers.Dense(8, "relu") for _ in range(3)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, keras.layers.Dense(outputs)])


def enlarge(model):
    """Leaves the generator with finite weights whose products are not."""
    for layer in model.generator.layers:
        layer.kernel.assign(1e30 * np.ones(layer.kernel.shape))


@pytest.fixture
def train(tmp_path):
    def run(*flags, rate=1e-3, watching=()):
        parsed = recipe.parse(recipe.define_flags("ring", 8, 64, 2), [f"--workdir={tmp_path / 'run'}", *flags])
        run = recipe.Run("toy", parsed)
        small = {"generator": network(2, 2), "discriminator": network(2, 1)}
        model = GAN((2,), latent_size=2, **({} if rate > 1 else small))
        model.compile(generator_optimizer=adam(rate), discriminator_optimizer=adam(rate))
        try:
            run.fit(model, run.data().train, callbacks=watching)
        finally:
            run.close()

    return run


def spoil(player):
    """Makes a weight of a player infinite."""

    def action(model):
        getattr(model, player).layers[-1].bias.assign_add([np.inf])

    return action


@pytest.mark.parametrize("every", [1, 2, 4])
def test_adam_at_a_rate_of_a_million(train, tmp_path, every):
    with pytest.raises(TrainingError) as error:
        train(f"--checkpoint_every={every}", rate=1e6)
    message = str(error.value)
    step = int(message.split("step ")[1].split(":")[0])
    assert message.startswith(f"Training stopped at step {step}: the ")
    assert "generator" in message or "discriminator" in message
    kept = (step - 1) // every * every
    assert message.endswith(
        f"{tmp_path}/run/checkpoints/step-{kept} stays usable." if kept else "There was no checkpoint yet."
    )


def test_a_grid_of_samples_that_are_not_finite(train, tmp_path):
    with pytest.raises(TrainingError) as error:
        train(watching=[AtStep(4, enlarge)])
    assert str(error.value) == (
        "Training stopped at step 4: the generator's samples are not finite. "
        f"{tmp_path}/run/checkpoints/step-2 stays usable."
    )


def test_a_score(train):
    with pytest.raises(TrainingError, match=r"step 2: the generator's samples are not finite. There was no checkpoint"):
        train("--score_every=2", "--checkpoint_every=4", watching=[AfterBatch(1, enlarge)])


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_a_callback_that_stumbles_over_weights(train, tmp_path, player):
    def stumble(model):
        spoil(player)(model)
        raise ZeroDivisionError("an error of its own kind")

    with pytest.raises(TrainingError) as error:
        train(watching=[AtStep(4, stumble)])
    assert str(error.value) == (
        f"Training stopped at step 4: the {player} has weights that are not finite. "
        f"{tmp_path}/run/checkpoints/step-2 stays usable."
    )


def test_an_operation_that_stumbles_over_weights(train):
    def stumble(model):
        spoil("generator")(model)
        tf.debugging.check_numerics(model.generator.layers[-1].bias, "of a graph")

    with pytest.raises(TrainingError, match=r"step 4: the generator has weights .*/checkpoints/step-2 stays usable"):
        train(watching=[AtStep(4, stumble)])


def test_an_error_of_a_callback_of_a_sound_model_passes_through(train):
    def stumble(model):
        raise ZeroDivisionError("an error of its own kind")

    with pytest.raises(ZeroDivisionError):
        train(watching=[AtStep(4, stumble)])
