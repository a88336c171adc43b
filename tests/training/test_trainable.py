"""What the base classes offer to papers that no paper so far needs all of: pairs, interludes, a reference batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import losses, networks, priors
from zoo.errors import InputError
from zoo.layers import GlobalBatchDropout
from zoo.model import GenerativeModel

SHAPE, ROWS = (4, 4, 1), 8


def dense(inputs, outputs, seed, *layers):
    """A network of one dense layer whose first weights follow from a seed, and of those given."""
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    linear = keras.layers.Dense(int(np.prod(outputs)), kernel_initializer=initializer)
    return keras.Sequential(
        [keras.Input(inputs), keras.layers.Flatten(), *layers, linear, keras.layers.Reshape(outputs)]
    )


def batches(labels=(0, 1, -1)):
    rng = np.random.default_rng(0)
    rows = {"image": rng.uniform(size=(6 * ROWS, *SHAPE)).astype("float32"), "label": rng.choice(labels, 6 * ROWS)}
    return tf.data.Dataset.from_tensor_slices(rows).batch(ROWS, drop_remainder=True)


@keras.saving.register_keras_serializable("tests")
class Pairs(GenerativeModel):
    """Two pairs that exchange generators every second step, some rows without labels, none asked of the sampler."""

    labels = "required"
    reads_unlabelled_rows = True
    samples_by_label = False
    interlude_every = 2

    def __init__(self, data_shape, *, latent_size=3, generator=None, discriminator=None, **kwargs):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        self.prior = [priors.normal(latent_size), priors.uniform(2)]
        self.generator = generator or [dense((latent_size,), SHAPE, self.seed + pair) for pair in range(2)]
        self.discriminator = discriminator or [dense(SHAPE, (1,), self.seed + 2 + pair) for pair in range(2)]
        self.sampler = self.averaged(self.generator[0])

    def paper_optimizer(self, player):
        """Gradient descent for both."""
        return keras.optimizers.SGD(0.1, momentum=0.5)

    def interlude(self):
        first, second = self.generator
        weights = first.get_weights()
        first.set_weights(second.get_weights())
        second.set_weights(weights)

    def train_step(self, batch):
        real = self.real_data(batch)
        latents, _ = self.draw_latents(real, "latents")
        logs = {"unlabelled": tf.reduce_mean(tf.cast(batch["label"] < 0, tf.float32))}
        with tf.GradientTape(persistent=True) as tape:
            fakes = [generator(latents) for generator in self.generator]
            judged = [(judge(real), judge(fake)) for judge, fake in zip(self.discriminator, fakes, strict=True)]
            discriminator_loss = tf.add_n([losses.cross_entropy_discriminator_loss(*logits) for logits in judged])
            generator_loss = tf.add_n([losses.non_saturating_generator_loss(fake) for _, fake in judged])
        for player, loss in (("discriminator", discriminator_loss), ("generator", generator_loss)):
            logs |= {f"{player}_loss": loss, **self.minimize(player, loss, tape)}
        return logs

    def generate(self, latents, labels):
        return self.sampler(latents[0])

    def score(self, data, labels):
        return self.discriminator[0](data)


def pairs(**compile_settings):
    model = Pairs(SHAPE, num_classes=2)
    model.compile(**compile_settings)
    return model


class TestPairs:
    def test_the_weights_of_every_network_in_a_list_are_trained(self):
        model = pairs()
        assert len(model.variables_of("generator")) == len(model.variables_of("discriminator")) == 4
        before = model.get_weights()
        model.fit(batches().take(1), verbose=0)
        assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True) if old.ndim == 2)

    def test_interludes_come_between_the_steps_however_many_are_made_at_once(self):
        one, two = pairs(), pairs(steps_per_execution=2)
        without = pairs()
        without.interlude = lambda: None
        for model in (one, two, without):
            model.fit(batches(), verbose=0)
        for left, right in zip(one.get_weights(), two.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
        assert any((left != right).any() for left, right in zip(one.get_weights(), without.get_weights(), strict=True))

    def test_interludes_that_an_epoch_would_put_inside_an_execution_are_refused(self):
        with pytest.raises(InputError, match=r"`steps_per_epoch` must be a multiple of 2.* Received: 3"):
            pairs(steps_per_execution=2).fit(batches(), steps_per_epoch=3, verbose=0)

    def test_data_that_end_inside_an_execution_are_refused(self):
        with pytest.raises(InputError, match=r"data for a multiple of 2 steps.* Received: data that ended at step 3"):
            pairs(steps_per_execution=2).fit(batches().take(3), verbose=0)

    def test_a_saved_model_goes_on_as_if_never_stopped(self, tmp_path):
        whole, part = pairs(), pairs()
        whole.fit(batches(), verbose=0)
        part.fit(batches().take(3), verbose=0)
        part.save(tmp_path / "model.keras")
        part = keras.models.load_model(tmp_path / "model.keras")
        part.fit(batches().skip(3), verbose=0)
        for left, right in zip(whole.get_weights(), part.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_executions_that_end_elsewhere_are_refused(self):
        with pytest.raises(InputError, match=r"must divide 2, .* Received: steps_per_execution=3"):
            pairs(steps_per_execution=3)

    def test_rows_without_a_label_are_read_and_other_labels_are_not(self):
        history = pairs().fit(batches(labels=[-1]), verbose=0).history
        assert history["unlabelled"] == [1.0]
        with pytest.raises(InputError, match=r"labels in \[-1, 1\]. Received: labels in \[-2, -2\]"):
            pairs().fit(batches(labels=[-2]), verbose=0)

    def test_a_sampler_without_labels_ignores_them(self):
        model = pairs()
        assert (model.num_classes, model.sampled_classes, model.conditional) == (2, None, False)
        np.testing.assert_array_equal(model.sample(3, 7), model.sample(3))

    def test_several_latents_are_told_apart_by_their_places(self):
        latents = pairs().latents_signature(tf.constant([5, 6], tf.int64), tf.constant([-1, -1]))
        assert {name: part.shape for name, part in latents.items()} == {"latent_0": (2, 3), "latent_1": (2, 2)}


@keras.saving.register_keras_serializable("tests")
class Enlarger(GenerativeModel):
    """Adds to each of its reference images a number that follows from the seed: it has no latent vector."""

    players = ("generator",)

    def __init__(self, data_shape, *, generator=None, **kwargs):
        super().__init__(data_shape, **kwargs)
        self.add_reference(3)
        self.generator = self.checked("generator", generator or dense(SHAPE, SHAPE, self.seed), [SHAPE], SHAPE)
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Gradient descent."""
        return keras.optimizers.SGD(0.1)

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            far = self.generator(self.reference.value) - tf.reduce_mean(self.real_data(batch), axis=0)
            loss = tf.reduce_mean(far**2)
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def latents_of(self, seed):
        return tf.gather(self.reference.value, seed % 3)

    def score(self, data, labels):
        return tf.reduce_mean(data, axis=[1, 2, 3])


class TestReference:
    @pytest.fixture
    def model(self):
        model = Enlarger(SHAPE)
        model.compile()
        return model

    def test_fit_takes_it_from_the_first_rows_once(self, model):
        data = batches()
        model.fit(data, verbose=0)
        first = next(iter(data))["image"][:3]
        np.testing.assert_allclose(model.reference, first * 2 - 1, atol=1e-6)
        model.fit(data.skip(1), verbose=0)
        np.testing.assert_allclose(model.reference, first * 2 - 1, atol=1e-6)

    def test_it_is_saved_and_exported(self, model, tmp_path):
        model.take_reference(np.full((3, *SHAPE), 51, "uint8"))
        np.testing.assert_allclose(model.reference, 0.2 * 2 - 1, atol=1e-6)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert loaded.has_reference
        exported = tf.saved_model.load(model.export(tmp_path / "artefact")).signatures
        for samples in (
            loaded.sample(3),
            exported["serving_default"](seed=tf.range(3, dtype=tf.int64), label=[0, 0, 0]),
        ):
            samples = samples["samples"] if isinstance(samples, dict) else samples
            np.testing.assert_allclose(samples, model.sample(3), atol=1e-6)
        assert exported.keys() == {"serving_default", "sample", "sample_png", "discriminate"}

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (np.zeros((2, *SHAPE)), "needs 3 rows. Received: 2"),
            (np.zeros((3, 4, 4)), r"shape \[None, 4, 4, 1\]. Received: \[3, 4, 4\]"),
            (np.full((3, *SHAPE), -1.0), r"floats in \[0, 1\], or uint8. Received: float64 in \[-1, -1\]"),
        ],
    )
    def test_other_data_are_refused(self, model, images, message):
        with pytest.raises(InputError, match=message):
            model.take_reference(images)

    def test_it_needs_a_dataset_to_be_taken_from(self, model):
        with pytest.raises(InputError, match="Received: a dict"):
            model.fit({"image": np.zeros((8, *SHAPE))})


class Forgetful(Enlarger):
    def __init__(self, data_shape, *, strength=1.0, **kwargs):
        super().__init__(data_shape, **kwargs)


def test_a_constructor_that_does_not_keep_an_argument_is_told_so():
    with pytest.raises(AttributeError, match="strength"):
        Forgetful(SHAPE).get_config()


def test_a_generator_that_ends_in_another_range_is_refused():
    with pytest.raises(
        InputError, match=r"must give images in \[-1.0, 1.0\]. .* ends in a sigmoid, .* in \[0.0, 1.0\]"
    ):
        Enlarger(SHAPE, generator=keras.Sequential([keras.Input(SHAPE), keras.layers.Dense(1, activation="sigmoid")]))


@pytest.mark.parametrize("kind", [keras.layers.Dropout, GlobalBatchDropout])
def test_keras_dropout_under_several_replicas_is_warned_of(mirrored, kind, recwarn):
    with mirrored.scope():
        Enlarger(SHAPE, generator=dense(SHAPE, SHAPE, 0, kind(0.5)))
    warned = [str(warning.message) for warning in recwarn if "GlobalBatchDropout" in str(warning.message)]
    assert len(warned) == (kind is keras.layers.Dropout)


def test_keras_dropout_in_a_list_of_networks_is_warned_of(mirrored):
    with mirrored.scope(), pytest.warns(UserWarning, match=r"`generators\[0\]` has keras.layers.Dropout"):
        networks.checked_list(
            "generators", [dense(SHAPE, SHAPE, 0, keras.layers.Dropout(0.5))], [None], [[SHAPE]], [SHAPE]
        )


def test_the_names_of_the_classes_are_as_many_as_the_classes_and_exported(tmp_path):
    model = Pairs(SHAPE, num_classes=2)
    assert model.class_names is None
    with pytest.raises(InputError, match="`class_names` must name 2 classes"):
        model.class_names = ["Bag"]
    model.class_names = ["Bag", "Sneaker"]
    assert model.class_names == ("Bag", "Sneaker")
    loaded = zoo.load(model.export(tmp_path / "shoes"))
    assert loaded.class_names == ["Bag", "Sneaker"]
