"""The contract: what every model of the zoo does, whatever its paper; and that it is wide enough for what comes."""

import functools
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import losses, priors
from zoo.errors import InputError, TrainingError
from zoo.model import GenerativeModel

SHAPE = (8, 8, 1)
QUICK = "ThreePlayers"  # the model whose tests `pytest -m quick` runs
# What makes a paper's networks small enough for a test.
SMALL = {
    "AffDG": {"generator_filters": 4, "generator_blocks": 1, "denoiser_filters": 4, "denoiser_blocks": 1},
    "AffGAN": {"generator_filters": 4, "generator_blocks": 1, "discriminator_filters": 4},
    "ALI": {"filters": 4},
    "BiGAN": {"units": 16},
    "CTGAN": {"filters": 4, "discriminator_updates": 2},
    "DCGAN": {"filters": 4},
    "DFM": {"filters": 4, "denoiser_units": 8, "denoiser_depth": 2},
    "DRAGAN": {"filters": 4},
    "EBGAN": {"generator_layers": 2, "generator_units": 64, "discriminator_units": 8},
    "FGAN": {"generator_units": 256, "discriminator_units": 8},
    "GAP": {"filters": 4, "members": 2, "swap_every": 20},
    "ImprovedGAN": {
        "filters": 4,
        "minibatch_kernels": 3,
        "kernel_size": 2,
        "reference_rows": 4,
        "feature_matching": True,
        "historical_weight": 1e-3,
    },
    "LAPGAN": {"filters": 4, "units": 16},
    "LossSensitiveGAN": {"filters": 4},
    "LSGAN": {"filters": 4},
    "SemiSupervisedGAN": {"generator_units": 16, "discriminator_units": (16, 8)},
    "SNGAN": {"filters": 4},
    "UnrolledGAN": {"unrolled_steps": 1},
    "WGAN": {"filters": 4, "discriminator_updates": 2},
    "WGANGP": {"filters": 4, "discriminator_updates": 2},
}


@keras.saving.register_keras_serializable("tests")
class ThreePlayers(GenerativeModel):
    """A generator of two latents, an encoder trained by its own loss, a discriminator with labels and two updates."""

    players = ("generator", "discriminator", "encoder")
    labels = "required"
    discriminator_updates = 2

    def __init__(self, data_shape, *, latent_size=3, generator=None, discriminator=None, encoder=None, **kwargs):
        super().__init__(data_shape, latent_size=latent_size, **kwargs)
        self.prior = {"noise": priors.normal(latent_size), "style": priors.uniform(2)}
        shapes = [(latent_size,), (2,), (self.num_classes,)]
        generator = generator or _dense(shapes, SHAPE, self.seed)
        self.generator = self.checked("generator", generator, shapes, SHAPE)
        shapes = [SHAPE, (self.num_classes,)]
        discriminator = discriminator or _dense(shapes, (1,), self.seed + 1)
        self.discriminator = self.checked("discriminator", discriminator, shapes, (1,))
        encoder = encoder or _dense([SHAPE], (2,), self.seed + 2)
        self.encoder = self.checked("encoder", encoder, [SHAPE], (2,))
        self.sampler = self.averaged(self.generator)

    def paper_optimizer(self, player):
        """Adam with a rate of 0.001 for all three players."""
        return keras.optimizers.Adam(1e-3)

    def train_step(self, batch):
        data, labels = self.real_data(batch), tf.one_hot(batch["label"], self.num_classes)
        for k, (real, label) in enumerate(self.minibatches((data, labels), self.discriminator_updates)):
            logs = self.update_discriminator(real, label, self.draw_latents(real, f"discriminator {k}"))
        latents = self.draw_latents(real, "generator")
        return logs | self.update_generator(latents, label) | self.update_encoder(latents, label)

    def update_discriminator(self, real, label, latents):
        fake = self.generator([latents["noise"], latents["style"], label], training=True)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator([real, label], training=True)
            fake_logits = self.discriminator([fake, label], training=True)
            loss = losses.cross_entropy_discriminator_loss(real_logits, fake_logits)
        return {"discriminator_loss": loss, **self.minimize("discriminator", loss, tape)}

    def update_generator(self, latents, label):
        with tf.GradientTape() as tape:
            fake = self.generator([latents["noise"], latents["style"], label], training=True)
            loss = losses.non_saturating_generator_loss(self.discriminator([fake, label], training=True))
        return {"generator_loss": loss, **self.minimize("generator", loss, tape)}

    def update_encoder(self, latents, label):
        fake = self.generator([latents["noise"], latents["style"], label], training=True)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.encoder(fake, training=True) - latents["style"]) ** 2)
        return {"encoder_loss": loss, **self.minimize("encoder", loss, tape)}

    def generate(self, latents, labels):
        one_hot = tf.one_hot(labels, self.num_classes)
        return self.sampler([latents["noise"], latents["style"], one_hot], training=False)

    def score(self, data, labels):
        return self.discriminator([data, tf.one_hot(labels, self.num_classes)], training=False)


def _dense(input_shapes, output_shape, seed):
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(seed))
    inputs = [keras.Input(shape) for shape in input_shapes]
    flat = [keras.layers.Flatten()(tensor) for tensor in inputs]
    x = keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    x = keras.layers.Dense(16, activation="tanh", kernel_initializer=initializer)(x)
    x = keras.layers.Dense(int(np.prod(output_shape)), kernel_initializer=initializer, dtype="float32")(x)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], keras.layers.Reshape(output_shape, dtype="float32")(x))


def make(name, **settings):
    """A small compiled model of that name."""
    compiled = ("jit_compile", "run_eagerly", "steps_per_execution")
    compile_settings = {key: settings.pop(key) for key in compiled if key in settings}
    cls = ThreePlayers if name == "ThreePlayers" else getattr(zoo, name)
    classes = {"num_classes": 3} if cls.labels == "required" else {}
    model = cls(SHAPE, **SMALL.get(name, {}), **classes, **settings)
    model.compile(**compile_settings)
    return model


def batches(count=12, size=12, seed=1):
    """An infinite dataset that repeats `count` batches, which 2 updates, 3 minibatches and 2 replicas divide."""
    rng = np.random.default_rng(seed)
    rows = {
        "image": rng.uniform(0, 1, (count * size, *SHAPE)).astype("float32"),
        "label": rng.integers(3, size=count * size).astype("int32"),
    }
    return tf.data.Dataset.from_tensor_slices(rows).batch(size, drop_remainder=True).repeat()


def state(model):
    """Everything that training moves, as arrays: weights, averages, optimiser slots, step."""
    slots = [variable for player in model.players for variable in model.optimizer_of(player).variables]
    return [np.asarray(variable.value) for variable in [*model.weights, *slots]]


def assert_same(first, second, tolerance=0.0):
    for left, right in zip(first, second, strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance)


class Run:
    """A training of ten steps in two epochs, with an average, what there was after each step, and a model saved at 4.

    Building and tracing a model is the slow part of every test, so that most compare theirs to this one.
    """

    def __init__(self, name, folder):
        self.model = make(name, ema_decay=0.9)
        self.saved = folder / "at_step_4.keras"
        self.initial = state(self.model)
        self.logs, self.states, self.generators, self.averages = [], [], [self.model.generator.get_weights()], []
        record = keras.callbacks.LambdaCallback(on_train_batch_end=self._record)
        self.history = self.model.fit(batches(), steps_per_epoch=5, epochs=2, verbose=0, callbacks=[record]).history

    def _record(self, batch, logs):
        self.logs.append(dict(logs))
        self.states.append(state(self.model))
        self.generators.append(self.model.generator.get_weights())
        self.averages.append(self.model.sampler.get_weights())
        if len(self.states) == 4:
            self.model.save(self.saved)


def _with_marks(name):
    return pytest.param(name, marks=[] if name == QUICK else pytest.mark.slow)


@pytest.fixture(params=map(_with_marks, [*zoo.MODELS, "ThreePlayers"]), scope="module")
def name(request):
    """Of a model. As it is the module's, pytest runs all tests of one model in a row, in one process."""
    return request.param


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """From name to its run."""
    return functools.cache(lambda name: Run(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def run(name, runs, release):
    yield runs(name)
    runs.cache_clear()
    release()


@pytest.fixture(scope="module")
def other(name):
    """A compiled model of another seed, without an average; nothing has trained it."""
    return make(name, seed=1)


def test_history_has_every_players_loss_and_counts_the_steps(name, run):
    model = run.model
    assert {f"{player}_loss" for player in model.players} <= run.history.keys()
    assert all(len(values) == 2 for values in run.history.values())
    assert model.step == 10
    updates = {player: int(model.optimizer_of(player).iterations.numpy()) for player in model.players}
    in_turn = 1 if name == "GAP" else model.discriminator_updates  # GAP's discriminators move at once
    every_step = {"discriminator": in_turn}
    assert updates == {player: 10 * every_step.get(player, 1) for player in model.players}


def test_any_keras_callback_sees_the_logs_and_the_history_is_their_mean_over_the_epoch(run):
    assert len({logs["generator_loss"] for logs in run.logs}) == 10
    for log, values in run.history.items():
        steps = np.reshape([logs[log] for logs in run.logs], (2, 5))
        np.testing.assert_allclose(values, steps.mean(axis=1), rtol=1e-5, atol=1e-7)


def test_the_same_seed_starts_from_the_same_weights(name, run):
    assert_same(state(make(name, ema_decay=0.9)), run.initial)


def test_a_saved_model_trains_on_as_if_never_stopped_however_many_steps_an_execution_has(run):
    model = keras.models.load_model(run.saved)
    assert model.step == 4
    assert_same(state(model), run.states[3])
    model.steps_per_execution = 2
    history = model.fit(batches().skip(4), steps_per_epoch=6, verbose=0).history
    assert_same(state(model), run.states[-1])
    for log, values in history.items():
        np.testing.assert_allclose(values, [np.mean([logs[log] for logs in run.logs[4:]])], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", map(_with_marks, [QUICK, "GAP", "LAPGAN", "SemiSupervisedGAN"]), scope="module")
def test_batch_by_batch_a_model_takes_the_steps_of_fit(run):
    model = keras.models.load_model(run.saved)
    for step, rows in enumerate(batches().skip(4).take(2), start=4):
        assert model.train_on_batch(rows, return_dict=True) == run.logs[step]
    assert_same(state(model), run.states[5])


def test_another_seed_starts_from_other_weights(other, run):
    weights = zip(other.generator.get_weights(), run.generators[0], strict=True)
    assert max(np.abs(left - right).max() for left, right in weights) > 1e-4


def test_another_seed_draws_other_latents():
    first, other = (make("GAN", seed=seed).draw_latents(tf.zeros([8, 1]), "any") for seed in (0, 1))
    assert np.abs(first - other).max() > 0.1


@pytest.mark.slow
def test_xla_gives_the_same_losses(name, run):
    compiled = make(name, jit_compile=True).fit(batches(), steps_per_epoch=1, epochs=10, verbose=0).history
    for log, values in compiled.items():
        np.testing.assert_allclose(values, [logs[log] for logs in run.logs], atol=1e-4)


@pytest.mark.parametrize("name", ["CGAN", "GAN", "ThreePlayers"])  # others have batch statistics, which are per replica
def test_two_replicas_follow_one(name, mirrored):
    one = make(name, ema_decay=0.9)
    one.fit(batches(size=64), steps_per_epoch=20, verbose=0)
    with mirrored.scope():
        two = make(name, ema_decay=0.9)
    two.fit(batches(size=64), steps_per_epoch=20, verbose=0)
    assert_same(state(one), state(two), tolerance=1e-5)


@pytest.mark.parametrize("name", ["DCGAN", "WGANGP"])
def test_two_replicas_that_share_their_batch_statistics_follow_one(name, mirrored):
    one = make(name, ema_decay=0.9)
    one.fit(batches(size=24), steps_per_epoch=5, verbose=0)
    with mirrored.scope():
        two = make(name, ema_decay=0.9)
    two.synchronize()
    two.fit(batches(size=24), steps_per_epoch=5, verbose=0)
    assert_same(state(one), state(two), tolerance=1e-4)


def test_what_does_not_normalise_by_batch_cannot_be_synchronised():
    with pytest.raises(InputError, match="GAN has no batch normalisation"):
        make("GAN").synchronize()


def test_trains_under_mirrored(name, mirrored):
    with mirrored.scope():
        model = make(name, ema_decay=0.9, steps_per_execution=4)
    before = state(model)
    history = model.fit(batches(), steps_per_epoch=4, verbose=0).history
    assert model.step == 4
    assert np.isfinite(list(history.values())).all()
    assert any(np.abs(left - right).max() > 0 for left, right in zip(before, state(model), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_float32_weights_and_follows_float32(name, run, policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        model = make(name, run_eagerly=True)  # five steps take less time than the trace of one
    finally:
        keras.mixed_precision.set_global_policy("float32")
    history = model.fit(batches(), steps_per_epoch=1, epochs=5, verbose=0).history
    assert {str(weight.dtype) for weight in model.trainable_weights} == {"float32"}
    scaled = {isinstance(model.optimizer_of(player), keras.optimizers.LossScaleOptimizer) for player in model.players}
    assert scaled == {policy == "mixed_float16"}
    for player in model.players:
        exact = [logs[f"{player}_loss"] for logs in run.logs[:5]]
        np.testing.assert_allclose(history[f"{player}_loss"], exact, atol=0.1)


def test_an_overflow_on_one_replica_skips_the_update_on_both(mirrored):
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        with mirrored.scope():
            linear = keras.layers.Dense(1, kernel_initializer="zeros")
            model = zoo.GAN((64,), discriminator=keras.Sequential([keras.Input((64,)), linear]))
            model.compile()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    vectors = np.zeros((8, 64), "float32")
    vectors[4:] = 1e3  # the loss is finite, its scaled gradient beyond float16, on the second replica alone
    model.fit(tf.data.Dataset.from_tensors({"image": vectors}), steps_per_epoch=1, verbose=0)
    np.testing.assert_array_equal(linear.kernel.numpy(), 0)
    assert float(model.discriminator_optimizer.dynamic_scale.numpy()) == model.discriminator_optimizer.initial_scale / 2


def test_gradient_norms_on_request_match_the_gradient(name):
    model = make(name)
    learning_rate = 0.5
    optimizers = {f"{player}_optimizer": keras.optimizers.SGD(learning_rate) for player in model.players}
    model.compile(**optimizers, log_gradient_norms=True, run_eagerly=True)
    before = [variable.numpy() for variable in model.variables_of("generator")]
    history = model.fit(batches(), steps_per_epoch=1, verbose=0).history
    moved = [old - variable.numpy() for old, variable in zip(before, model.variables_of("generator"), strict=True)]
    norm = np.sqrt(sum((change**2).sum() for change in moved)) / learning_rate
    np.testing.assert_allclose(history["generator_gradient_norm"][0], norm, rtol=1e-3, atol=1e-7)


def test_the_average_is_the_recurrence_over_the_generators_weights(run):
    expected = run.generators[0]
    for step, (weights, averages) in enumerate(zip(run.generators[1:], run.averages, strict=True), start=1):
        decay = min(0.9, (1 + step) / (10 + step))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, weights, strict=True)]
        assert_same(averages, expected, tolerance=1e-6)


def test_without_a_decay_the_generator_itself_is_sampled(other):
    assert other.sampler is other.generator


def test_a_row_depends_on_its_own_seed_alone(run):
    model = run.model
    rows = model.sample(64, 1)
    assert rows.shape == (64, *SHAPE)
    assert rows.dtype == np.float32
    assert 0 <= rows.min() <= rows.max() <= 1
    np.testing.assert_allclose(model.sample([7], 1)[0], rows[7], atol=1e-5)
    np.testing.assert_allclose(model.sample([63, 7], 1), rows[[63, 7]], atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


@pytest.mark.slow
def test_seeds_may_be_any_int64(runs):
    seeds = [-1, 2**62, -(2**63), 2**63 - 1, 2**32, 0]
    rows = runs("GAN").model.sample(seeds).reshape(len(seeds), -1)
    assert len(np.unique(rows.round(6), axis=0)) == len(seeds)


def test_labels_choose_the_class_and_minus_one_draws_it_by_the_seed(runs):
    model = runs("ThreePlayers").model
    by_label = np.stack([model.sample([5], label)[0] for label in range(3)])
    assert len(np.unique(by_label.reshape(3, -1).round(6), axis=0)) == 3
    drawn = model.sample(range(300), -1)
    chosen = np.stack([model.sample(range(300), label) for label in range(3)])
    match = np.abs(chosen - drawn).max(axis=(2, 3, 4)) < 1e-5
    np.testing.assert_array_equal(match.sum(axis=0), 1)
    assert (np.abs(match.mean(axis=1) - 1 / 3) < 0.1).all()


@pytest.mark.parametrize("labels", [3, -2, [0, 0, 3]])
def test_a_label_out_of_range_is_refused(runs, labels):
    with pytest.raises(InputError, match=r"\[-1, 2\]"):
        runs("ThreePlayers").model.sample(3, labels)


def test_config_round_trip(run):
    model = run.model
    copy = type(model).from_config(model.get_config())
    assert copy.get_config() == model.get_config()


def test_save_and_load_model_keep_weights_averages_optimisers_and_step(run, tmp_path):
    model = run.model
    model.save(tmp_path / "model.keras")
    copy = keras.models.load_model(tmp_path / "model.keras")
    assert copy.step == model.step == 10
    assert_same(state(model), state(copy))
    assert copy.get_compile_config() == model.get_compile_config()
    np.testing.assert_allclose(copy.sample(3, 0), model.sample(3, 0), atol=1e-6)


def test_summaries_name_the_networks(run, capsys):
    model = run.model
    for player in model.players:
        getattr(model, player).summary()
    assert capsys.readouterr().out.count("Trainable params") == len(model.players)


def test_a_finite_dataset_ends_its_epochs():
    model = make("ThreePlayers")
    model.fit(batches().take(3), epochs=2, verbose=0)
    assert model.step == 6


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_execution", [1, 4])
def test_a_loss_that_is_not_finite_stops_training_and_names_step_and_player(steps_per_execution):
    model = zoo.GAN((2,))
    model.compile(steps_per_execution=steps_per_execution)
    vectors = tf.data.Dataset.range(4).map(lambda index: {"image": tf.fill([8, 2], tf.where(index == 2, np.nan, 1.0))})
    with pytest.raises(TrainingError, match="step 3: the loss of the discriminator, discriminator_loss,"):
        model.fit(vectors, steps_per_epoch=4, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_execution", [1, 4])
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_none_of_the_classes_stops_training_and_names_the_step(label, steps_per_execution):
    model = make("ThreePlayers", steps_per_execution=steps_per_execution)

    def spoil_the_third(index, rows):
        last = tf.range(12) == 11
        return {**rows, "label": tf.where((index == 2) & last, label, rows["label"])}

    spoilt = batches().enumerate().map(spoil_the_third)
    with pytest.raises(InputError, match=r"labels in \[0, 2\]\. Received: labels in .* at step 3"):
        model.fit(spoilt, steps_per_epoch=4, verbose=0)


def test_weights_that_are_not_finite_are_named():
    model = make("GAN")
    model.check_weights()
    kernel = model.generator.trainable_weights[0]
    kernel.assign(tf.fill(kernel.shape, np.nan))
    with pytest.raises(TrainingError, match="the generator has weights that are not finite"):
        model.check_weights()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((8, *SHAPE), "float32"), r'a dict with "image".*Received: a float32 tensor of shape \(8, 8, 8, 1\)'),
        (
            (np.zeros((8, *SHAPE), "uint8"), np.zeros(8, "int64")),
            r"Received: a tuple of a uint8 tensor of shape \(8, 8, 8, 1\), an int64 tensor of shape \(8,\)",
        ),
        ({"pixels": np.zeros((8, *SHAPE), "float32")}, r"Received: a dict with \['pixels'\]"),
        ({"image": np.zeros((8, 9, 8, 1), "float32"), "label": np.zeros(8, int)}, r"\(None, 8, 8, 1\). .* \(8, 9,"),
        ({"image": np.zeros((8, *SHAPE), "float32")}, r'needs batches with "label"'),
        ({"image": np.zeros((7, *SHAPE), "float32"), "label": np.zeros(7, "int32")}, "2 updates.*a batch of 7 rows"),
    ],
)
def test_a_batch_of_another_form_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        make("ThreePlayers").fit(tf.data.Dataset.from_tensors(rows).repeat(), steps_per_epoch=1, verbose=0)


def first_loss(rows):
    """The loss of the discriminator in the first step of an eager ThreePlayers."""
    return make("ThreePlayers").train_on_batch(rows, return_dict=True)["discriminator_loss"]


@pytest.mark.slow
def test_uint8_images_and_labels_of_any_integer_type_train_as_floats_in_0_to_1_do():
    pixels = np.random.default_rng(0).integers(0, 256, (8, *SHAPE)).astype("uint8")
    labels = np.arange(8) % 3
    expected = first_loss({"image": pixels / np.float32(255), "label": labels.astype("int32")})
    assert first_loss({"image": pixels, "label": labels.astype("int64")}) == expected
    assert first_loss({"image": pixels, "label": labels.astype("uint8")[:, None]}) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {"image": np.full((8, *SHAPE), 255.0)},
            r"floats in \[0, 1\], or uint8. Received: values in \[255, 255\] at step 1",
        ),
        ({"image": np.full((8, *SHAPE), -1.0)}, r"Received: values in \[-1, -1\] at step 1"),
        ({"image": np.full((8, *SHAPE), np.nan)}, r"Received: values in \[nan, nan\] at step 1"),
        ({"image": np.zeros((8, *SHAPE), "int64")}, '"image" must hold floats in .* Received: int64'),
        (
            {"label": np.zeros((8, 3), "int32")},
            r'"label" .* integers of shape \(n,\) or \(n, 1\). .* int32 of shape \(8, 3\)',
        ),
        ({"label": np.zeros(8, "float32")}, "Received: float32 of shape"),
        ({"label": np.full(8, "shoe")}, "Received: string of shape"),
    ],
    ids=["0 to 255", "-1 to 1", "not a number", "int64", "one-hot", "float labels", "words"],
)
def test_values_of_another_range_or_type_are_refused_in_the_first_step(rows, message):
    rows = {"image": np.zeros((8, *SHAPE), "float32"), "label": np.zeros(8, "int32"), **rows}
    with pytest.raises(InputError, match=message):
        make("ThreePlayers").fit(tf.data.Dataset.from_tensors(rows).repeat(), steps_per_epoch=1, verbose=0)


def test_a_range_that_one_of_two_replicas_got_wrong_is_refused(mirrored):
    images = np.zeros((8, *SHAPE), "float32")
    images[7] = 2.0
    with mirrored.scope():
        model = make("ThreePlayers")
    with pytest.raises(InputError, match=r"values in \[0, 2\] at step 1"):
        model.fit(tf.data.Dataset.from_tensors({"image": images, "label": np.zeros(8, "int32")}), verbose=0)


@pytest.mark.slow
def test_rows_that_do_not_split_into_minibatches_are_refused_though_their_number_is_known_late():
    rows = tf.data.Dataset.from_tensor_slices(
        {"image": np.zeros((7, *SHAPE), "float32"), "label": np.zeros(7, "int32")}
    )
    with pytest.raises(InputError, match=r"multiple of 2 rows, .* Received: 7 rows at step 1"):
        make("ThreePlayers").fit(rows.batch(8), verbose=0)


def test_compile_names_each_players_optimiser_and_says_what_the_paper_gives(name):
    cls = ThreePlayers if name == "ThreePlayers" else getattr(zoo, name)
    parameters = inspect.signature(cls.compile).parameters
    assert {f"{player}_optimizer" for player in cls.players} < parameters.keys()
    assert inspect.getdoc(cls.compile).startswith(inspect.getdoc(cls.paper_optimizer).partition("\n")[0])


def test_arguments_that_compile_would_ignore_are_refused():
    with pytest.raises(
        InputError, match=r"GAN.compile takes generator_optimizer, discriminator_optimizer. Received: loss"
    ):
        make("GAN").compile(loss="mse")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data_shape": (8, 8)}, r"`data_shape` must be .* Received: \(8, 8\)"),
        ({"data_shape": (8, 0, 1)}, r"Received: \(8, 0, 1\)"),
        ({"latent_size": 0}, "`latent_size` must be a positive integer. Received: latent_size=0"),
        ({"ema_decay": 1.0}, "`ema_decay` must lie between 0 and 1. Received: ema_decay=1.0"),
        ({"num_classes": 10}, "GAN takes no labels. Received: num_classes=10"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        zoo.GAN(**{"data_shape": SHAPE, **settings})


def test_one_optimiser_for_two_players_is_refused():
    model, shared = make("GAN"), keras.optimizers.Adam()
    with pytest.raises(InputError, match=r"optimiser of its own\. Received: one for \w+ and \w+"):
        model.compile(generator_optimizer=shared, discriminator_optimizer=shared)


def test_xla_on_several_replicas_is_refused(mirrored):
    with mirrored.scope(), pytest.raises(InputError, match="Received: 2 replicas"):
        make("GAN", jit_compile=True)


def test_unknown_names_of_the_package_are_attribute_errors():
    with pytest.raises(AttributeError, match="NoSuchPaper"):
        _ = zoo.NoSuchPaper
