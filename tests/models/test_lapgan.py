"""LAPGAN: the paper's networks, a step written out, levels that know nothing of each other, and the sampling chain."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from by_hand import sigmoid, softplus

import zoo
from zoo import pyramid
from zoo.errors import InputError
from zoo.features import ClassifierFeatures
from zoo.models.lapgan import LAPGAN
from zoo.networks import laplacian
from zoo.optimizers import MomentumRampSGD

SHAPE = (10, 9, 1)
SIZES = ((10, 9), (6, 6), (4, 4))
IMAGES = tf.random.stateless_uniform([8, *SHAPE], [0, 1], -1, 1)
LABELS = tf.constant([0, 1, 2, 0, 1, 2, 0, 1])
BATCH = {"image": IMAGES / 2 + 0.5, "label": LABELS}
PLAYERS = LAPGAN.players


def build(rate=0.1, eagerly=True, **settings):
    """A small model; it trains eagerly, since tracing its networks takes longer than a few steps."""
    model = LAPGAN(SHAPE, **{"sizes": SIZES, "latent_size": 3, "filters": 4, "units": 8, **settings})
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(2 * rate), run_eagerly=eagerly)
    return model


def fit(model, steps=3):
    rows = {"image": np.random.default_rng(0).uniform(0, 1, (32, *SHAPE)).astype("float32"), "label": [*range(2)] * 16}
    model.fit(tf.data.Dataset.from_tensor_slices(rows).batch(8).repeat(), steps_per_epoch=steps, verbose=0)
    return model


def weights(model, level):
    """The weights of both players of one level."""
    return [*model.generators[level].get_weights(), *model.discriminators[level].get_weights()]


def constant(value, inputs):
    """A network that gives one image whatever it gets."""
    inputs = [keras.Input(shape) for shape in inputs]
    flat = keras.layers.Flatten()(inputs[0])
    bias = keras.initializers.Constant(value.ravel())
    outputs = keras.layers.Dense(value.size, kernel_initializer="zeros", bias_initializer=bias)(flat)
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], keras.layers.Reshape(value.shape)(outputs))


def constants(values):
    """A generator a level, each of which gives one image."""
    *details, coarsest = values
    networks = [constant(value, [(*value.shape[:2], 1), value.shape]) for value in details]
    return [*networks, constant(coarsest, [(3,)])]


class TestPaperSettings:
    """Those of CIFAR-10."""

    @pytest.fixture(scope="class")
    def model(self):
        model = LAPGAN((28, 28, 3), sizes=((28, 28), (14, 14), (8, 8)))
        model.compile()
        return model

    def test_a_latent_vector_of_100_and_a_plane_of_noise_a_finer_level_uniform_between_minus_1_and_1(self, model):
        assert [tuple(prior.batch_shape) for prior in model.prior] == [(28, 28, 1), (14, 14, 1), (100,)]
        for prior in model.prior:
            ends = [prior.quantile(tf.fill(prior.batch_shape, share)) for share in (0.0, 1.0)]
            np.testing.assert_array_equal(ends, [-np.ones(prior.batch_shape), np.ones(prior.batch_shape)])

    def test_generators_have_convolutions_of_7_7_and_5_pixels_over_colours_and_noise(self, model):
        for level, filters in enumerate((128, 64)):
            convolutions = [layer for layer in model.generators[level].layers if isinstance(layer, keras.layers.Conv2D)]
            assert [(layer.filters, *layer.kernel_size, layer.activation.__name__) for layer in convolutions] == [
                (filters, 7, 7, "relu"), (filters, 7, 7, "relu"), (3, 5, 5, "linear"),
            ]  # fmt: skip
            expected = 49 * 4 * filters + 49 * filters**2 + 25 * filters * 3 + 2 * filters + 3
            assert model.generators[level].count_params() == expected

    @pytest.mark.parametrize(("level", "filters", "side"), [(0, 128, 10), (1, 64, 3)])
    def test_discriminators_have_unpadded_convolutions_of_5_pixels_the_second_of_stride_2(
        self, model, level, filters, side
    ):
        network = model.discriminators[level]
        kinds = [type(layer).__name__ for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
        assert kinds == ["Add", "Conv2D", "Conv2D", "Flatten", "GlobalBatchDropout", "Dense"]
        assert network.layers[-2].rate == 0.5
        assert network.layers[-4].output.shape[1:] == (side, side, filters)
        expected = 25 * 3 * filters + 25 * filters**2 + 2 * filters + side**2 * filters + 1
        assert network.count_params() == expected

    def test_the_coarsest_pair_has_1200_and_600_units_a_layer(self, model):
        assert model.generators[2].count_params() == 101 * 1200 + 1201 * 1200 + 1201 * 192
        assert model.discriminators[2].count_params() == 193 * 600 + 601 * 600 + 601
        rates = [layer.rate for layer in model.discriminators[2].layers if isinstance(layer, keras.layers.Dropout)]
        assert rates == [0.5, 0.5]

    def test_weights_start_as_torchs_do(self, model):
        for player in PLAYERS:
            for variable in (v for network in model.networks_of(player) for v in network.trainable_variables):
                values = variable.numpy()
                if variable.name == "bias":
                    assert not values.any()
                else:
                    limit = 1 / np.sqrt(values[..., 0].size)
                    assert np.abs(values).max() == pytest.approx(limit, rel=0.05)
                    assert values.std() == pytest.approx(limit / np.sqrt(3), rel=6 / np.sqrt(values.size))

    def test_every_network_starts_from_draws_of_its_own(self):
        kernels = [weights(build(sizes=((10, 9), (9, 8), (8, 7))), level)[0].ravel()[:20] for level in (0, 1)]
        assert not np.isclose(kernels[0] / np.abs(kernels[0]).max(), kernels[1] / np.abs(kernels[1]).max()).all()

    @pytest.mark.parametrize("player", PLAYERS)
    def test_rate_and_momentum_change_as_in_the_code(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert isinstance(model.optimizer_of(player), MomentumRampSGD)
        assert (config["momentum"], config["final_momentum"], config["minimum"]) == (0.5, 0.7, 1e-6)
        assert config["learning_rate"] == pytest.approx(0.02)
        epoch = 45_000 // 64
        assert config["decay"] ** epoch == pytest.approx(1.000004, abs=1e-9)
        assert 0.2 / config["ramp"] * epoch == pytest.approx(0.0008)

    def test_a_small_level_pads_what_would_otherwise_vanish(self):
        sides = [
            laplacian.residual_discriminator((side, side, 1), filters=2).layers[-4].output.shape[1]
            for side in (9, 8, 4)
        ]
        assert sides == [1, 4, 2]


class TestStep:
    @pytest.fixture
    def model(self):
        """Two levels of linear networks on everything they get, so that a step can be written out."""

        def linear(shapes, output):
            inputs = [keras.Input(shape) for shape in shapes]
            flat = [keras.layers.Flatten()(tensor) for tensor in inputs]
            x = keras.layers.Dense(int(np.prod(output)))(keras.layers.Concatenate()(flat) if len(flat) > 1 else flat[0])
            return keras.Model(inputs if len(inputs) > 1 else inputs[0], keras.layers.Reshape(output)(x))

        keras.utils.set_random_seed(0)
        fine, coarse = (10, 9, 1), (5, 5, 1)
        model = LAPGAN(
            SHAPE,
            latent_size=3,
            generators=[linear([fine, fine], fine), linear([(3,)], coarse)],
            discriminators=[linear([fine, fine], (1,)), linear([coarse], (1,))],
        )
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
        return model

    def test_it_is_that_of_the_equations_in_numpy(self, model):
        before = [[array.astype(np.float64) for array in weights(model, level)] for level in range(2)]
        images = IMAGES.numpy().astype(np.float64)
        coarse = tf.image.resize(images, (5, 5), antialias=True).numpy().astype(np.float64)
        low_pass = tf.image.resize(coarse, (10, 9)).numpy().astype(np.float64)
        flat = {"h": [images - low_pass, coarse], "l": [low_pass, coarse[..., :0]]}
        flat = {name: [rows.reshape(8, -1) for rows in levels] for name, levels in flat.items()}
        latents = {
            purpose: [noise.numpy().reshape(len(noise), -1) for noise in model.draw_latents(IMAGES[:rows], purpose)]
            for purpose, rows in (("discriminator", 4), ("generator", 8))
        }
        logs = model.train_step({"image": IMAGES / 2 + 0.5})
        totals = {"discriminator": 0, "generator": 0}
        for level in range(2):
            a, a_bias, w, w_bias = before[level]
            detail, condition = flat["h"][level], flat["l"][level]

            real = np.hstack([detail[0::2], condition[0::2]])  # every other row is real, the rest lend their condition
            fake = np.hstack([latents["discriminator"][level], condition[1::2]]) @ a + a_bias
            fake = np.hstack([fake, condition[1::2]])
            real_logits, fake_logits = real @ w + w_bias, fake @ w + w_bias
            loss = (softplus(-real_logits).sum() + softplus(fake_logits).sum()) / 8
            d_real, d_fake = -sigmoid(-real_logits) / 8, sigmoid(fake_logits) / 8
            assert float(logs[f"discriminator_{level}_loss"]) == pytest.approx(loss, rel=1e-5)
            assert float(logs[f"real_accuracy_{level}"]) == (real_logits > 0).mean()
            assert float(logs[f"fake_accuracy_{level}"]) == (fake_logits < 0).mean()
            totals["discriminator"] += loss
            w = w - 0.2 * (real.T @ d_real + fake.T @ d_fake)
            w_bias = w_bias - 0.2 * (d_real.sum(0) + d_fake.sum(0))

            inputs = np.hstack([latents["generator"][level], condition])  # all rows lend their condition
            logits = np.hstack([inputs @ a + a_bias, condition]) @ w + w_bias
            loss, d_logits = softplus(-logits).mean(), -sigmoid(-logits) / 8
            assert float(logs[f"generator_{level}_loss"]) == pytest.approx(loss, rel=1e-5)
            totals["generator"] += loss
            d_detail = d_logits @ w[: detail.shape[1]].T
            expected = [a - 0.1 * inputs.T @ d_detail, a_bias - 0.1 * d_detail.sum(0), w, w_bias]
            for value, wanted in zip(weights(model, level), expected, strict=True):
                np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
        for player, loss in totals.items():
            assert float(logs[f"{player}_loss"]) == pytest.approx(loss, rel=1e-5)

    @pytest.mark.parametrize(("player", "other"), [PLAYERS, PLAYERS[::-1]])
    def test_an_update_moves_every_network_of_its_player_and_none_of_the_other(self, player, other):
        model = build(num_classes=3)
        moved, kept = ([n.get_weights() for n in model.networks_of(p)] for p in (player, other))
        coefficients, conditions = decomposed(model)
        latents = model.draw_latents(IMAGES, "test")
        if player == "generator":
            model.update_generator(conditions, latents)
        else:
            model.update_discriminator(coefficients, conditions, conditions, latents)
        for before, network in zip(moved, model.networks_of(player), strict=True):
            assert all((old != new).any() for old, new in zip(before, network.get_weights(), strict=True))
        for before, network in zip(kept, model.networks_of(other), strict=True):
            assert all((old == new).all() for old, new in zip(before, network.get_weights(), strict=True))

    def test_an_odd_batch_cannot_be_halved(self, model):
        with pytest.raises(InputError, match="Received: a batch of 7 rows"):
            model.train_step({"image": IMAGES[:7] / 2 + 0.5})


def decomposed(model, labels=LABELS):
    """The coefficients of each level and what it is conditioned on."""
    coefficients, low_passes = pyramid.laplacian(IMAGES, model.sizes)
    classes = [tf.one_hot(labels, model.num_classes)] if model.conditional else []
    return coefficients, [*([low_pass, *classes] for low_pass in low_passes), classes]


class TestLevels:
    @pytest.mark.slow
    def test_a_level_reads_nothing_that_another_has_learnt(self):
        model, other = build(), build()
        for network in (*other.generators[1:], *other.discriminators[1:]):
            network.set_weights([array + 1 for array in network.get_weights()])
        for trained in (model, other):
            fit(trained)
        for left, right in zip(weights(model, 0), weights(other, 0), strict=True):
            np.testing.assert_array_equal(left, right)

    def test_only_the_named_levels_move(self):
        levels = [2, 0]
        model = build(levels=levels, ema_decay=0.9)
        before = [weights(model, level) for level in range(3)]
        averages = [model.sampler.get_layer(f"generator_{level}").get_weights() for level in range(3)]
        fit(model)
        for level in range(3):
            for old, new in zip(before[level], weights(model, level), strict=True):
                assert (old != new).any() == (level in levels)
            average = model.sampler.get_layer(f"generator_{level}").get_weights()
            assert all(
                (old != new).any() == (level in levels) for old, new in zip(averages[level], average, strict=True)
            )

    @pytest.mark.slow
    def test_levels_trained_apart_are_those_trained_together(self):
        settings = {"num_classes": 3, "ema_decay": 0.9, "seed": 5}
        together = fit(build(**settings))
        parts = [fit(build(levels=levels, **settings)) for levels in ([0], [2, 1])]
        parts[0].class_names = ("a", "b", "c")
        whole = LAPGAN.assemble(parts)
        for level in range(3):
            for left, right in zip(weights(whole, level), weights(together, level), strict=True):
                np.testing.assert_allclose(left, right, rtol=0, atol=1e-6)
        np.testing.assert_allclose(whole.sample(5, 1), together.sample(5, 1), atol=1e-6)
        assert (whole.step, whole.seed, whole.levels) == (3, 5, (0, 1, 2))
        assert whole.class_names == ("a", "b", "c")
        np.testing.assert_array_equal(whole.label_counts.numpy(), together.label_counts.numpy())
        np.testing.assert_allclose(whole.sample(5), together.sample(5), atol=1e-6)  # of the classes it was trained on

    def test_a_model_saved_with_some_levels_still_trains_those(self, tmp_path):
        model = fit(build(levels=[1]))
        model.save(tmp_path / "model.keras")
        copy = keras.models.load_model(tmp_path / "model.keras")
        assert copy.levels == (1,)
        before = weights(copy, 0), weights(copy, 1)
        fit(copy)
        assert all((old == new).all() for old, new in zip(before[0], weights(copy, 0), strict=True))
        assert any((old != new).any() for old, new in zip(before[1], weights(copy, 1), strict=True))

    @pytest.mark.parametrize("levels", [[], [3], [-1], [0, 0]])
    def test_unknown_levels_are_refused(self, levels):
        message = f"`levels` must be some of [0, 1, 2], each once. Received: levels={levels}"
        with pytest.raises(InputError, match=re.escape(message)):
            build(levels=levels)

    @pytest.mark.parametrize("second", [[0, 1], [1]])
    def test_levels_that_are_missing_or_there_twice_make_no_whole(self, second):
        message = f"must have been trained by one of the models. Received: levels [1, 2] and {second}"
        with pytest.raises(InputError, match=re.escape(message)):
            LAPGAN.assemble([build(levels=[1, 2]), build(levels=second)])

    def test_no_models_make_no_whole(self):
        with pytest.raises(InputError, match="Received: levels of no models"):
            LAPGAN.assemble([])

    @pytest.mark.parametrize(
        ("setting", "value", "received"),
        [
            ("sizes", ((10, 9), (7, 6), (4, 4)), "(4, 4)), ((10, 9), (7, 6)"),
            ("num_classes", 3, "None, 3"),
            ("latent_size", 4, "3, 4"),
            ("ema_decay", 0.9, "None, 0.9"),
        ],
    )
    def test_levels_of_other_pyramids_do_not_fit(self, setting, value, received):
        with pytest.raises(
            InputError, match=rf"the same `{setting}` to fit together\. Received: .*{re.escape(received)}"
        ):
            LAPGAN.assemble([build(levels=[0]), build(levels=[1, 2], **{setting: value})])


class TestChain:
    def test_with_the_true_coefficients_it_ends_in_the_image(self):
        coefficients, _ = pyramid.laplacian(IMAGES[:1], SIZES)
        model = build(generators=constants([part.numpy()[0] for part in coefficients]))
        np.testing.assert_allclose(model.sample(2), np.repeat(IMAGES[:1] / 2 + 0.5, 2, axis=0), atol=1e-6)

    def test_it_is_clipped_at_its_end_alone(self):
        values = [np.full((*size, 1), value, "float32") for size, value in zip(SIZES, (-2.5, 1.0, 2.0), strict=True)]
        model = build(generators=constants(values))
        np.testing.assert_allclose(model.sample(1), np.full((1, *SHAPE), 0.75), rtol=1e-6)
        for stage, value in zip(model.sample_chain(1), (1.0, 1.0, 0.75), strict=True):
            np.testing.assert_allclose(stage, np.full(stage.shape, value), rtol=1e-6)

    @pytest.mark.parametrize("num_classes", [None, 3])
    def test_each_image_is_the_one_before_enlarged_and_what_its_generator_adds(self, num_classes):
        model = build(num_classes=num_classes)
        *noise, latent = model.draw_latents(IMAGES, "test")
        classes = decomposed(model)[1][-1]
        image = model.generators[2]([latent, *classes] if classes else latent)
        chain = model.generate_chain([*noise, latent], LABELS)
        for level in (2, 1, 0):
            if level < 2:
                low_pass = tf.image.resize(image, SIZES[level])
                image = low_pass + model.generators[level]([noise[level], low_pass, *classes])
            np.testing.assert_allclose(chain[2 - level], image, atol=1e-6)

    def test_it_ends_in_the_sample_of_the_same_seeds_and_labels(self):
        model = build(num_classes=3, ema_decay=0.9)
        chain = model.sample_chain([7, 3], [2, 0])
        assert [stage.shape[1:] for stage in chain] == [(4, 4, 1), (6, 6, 1), (10, 9, 1)]
        np.testing.assert_array_equal(chain[-1], model.sample([7, 3], [2, 0]))

    def test_wrong_seeds_and_labels_are_refused(self):
        with pytest.raises(InputError, match=r"\[-1, 2\]"):
            build(num_classes=3).sample_chain(2, 3)

    def test_wrong_latents_are_refused(self):
        model = build()
        latents = model.draw_latents(IMAGES, "test")
        with pytest.raises(InputError, match=r"shapes \[\(10, 9, 1\), \(6, 6, 1\), \(3,\)\]\. Received: \[\(3,\)\]"):
            model.generate(latents[-1], LABELS)


class TestClasses:
    @pytest.fixture(scope="class")
    def model(self):
        return build(num_classes=3)

    @pytest.mark.parametrize("level", [0, 1])
    @pytest.mark.parametrize("role", ["generators", "discriminators"])
    def test_a_class_becomes_one_rectified_plane_of_the_finer_levels(self, model, role, level):
        network, plain = getattr(model, role)[level], getattr(build(), role)[level]
        pixels = np.prod(SIZES[level])
        window = {"generators": 49, "discriminators": 25}[role]
        filters = 4 >> level
        assert network.count_params() - plain.count_params() == (3 + 1) * pixels + window * filters
        (plane,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Reshape))
        assert plane.output.shape[1:] == (*SIZES[level], 1)
        (dense,) = (layer for layer in network.layers if getattr(layer, "units", 0) == pixels)
        values = keras.Model(network.inputs[2], plane.output)(np.eye(3)).numpy().reshape(3, -1)
        np.testing.assert_allclose(values, np.maximum(dense.kernel.numpy(), 0), rtol=1e-6)

    def test_a_class_joins_the_vectors_of_the_coarsest_level(self, model):
        plain = build()
        assert model.generators[2].count_params() - plain.generators[2].count_params() == 3 * 8
        assert model.discriminators[2].count_params() - plain.discriminators[2].count_params() == 3 * 4

    @pytest.mark.parametrize("level", [0, 1, 2])
    def test_another_class_changes_what_both_players_of_a_level_say(self, model, level):
        outputs = []
        for labels in (LABELS, (LABELS + 1) % 3):
            coefficients, conditions = decomposed(model, labels)
            noise = model.draw_latents(IMAGES, "test")[level]
            outputs.append(
                (
                    model.generators[level]([noise, *conditions[level]]),
                    model.discriminators[level]([coefficients[level], *conditions[level]]),
                )
            )
        for first, second in zip(*outputs, strict=True):
            assert (np.abs(first - second).reshape(8, -1).max(axis=1) > 1e-5).all()

    def test_samples_are_of_the_label_or_of_one_that_the_seed_draws(self, model):
        seeds = range(60)
        by_label = np.stack([model.sample(seeds, label) for label in range(3)])
        drawn = model.sample(seeds, -1)
        match = np.abs(by_label - drawn).max(axis=(2, 3, 4)) < 1e-5
        np.testing.assert_array_equal(match.sum(axis=0), 1)
        assert (match.sum(axis=1) > 8).all()

    def test_two_replicas_follow_one(self, mirrored):
        one = fit(build(num_classes=3, ema_decay=0.9))
        with mirrored.scope():
            two = build(eagerly=False, num_classes=3, ema_decay=0.9)
        fit(two)
        for left, right in zip(one.weights, two.weights, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


class TestScore:
    @pytest.mark.parametrize("num_classes", [None, 3])
    def test_it_is_the_sum_of_the_logits_of_all_levels(self, num_classes):
        model = build(num_classes=num_classes)
        coefficients, conditions = decomposed(model)
        logits = [
            model.discriminators[level](
                [coefficients[level], *conditions[level]] if conditions[level] else coefficients[2]
            )
            for level in range(3)
        ]
        np.testing.assert_allclose(model.score(IMAGES, LABELS), np.hstack(logits).sum(axis=1), atol=1e-5)
        signature = model.discriminate_signature(IMAGES / 2 + 0.5, LABELS)
        np.testing.assert_allclose(signature["score"], np.hstack(logits).sum(axis=1), atol=1e-5)

    def test_a_discriminator_sees_the_sum_of_detail_and_low_pass_image(self):
        network = build().discriminators[0]
        detail, low_pass = tf.random.stateless_normal([2, 4, *SHAPE], [0, 3])
        np.testing.assert_allclose(
            network([detail, low_pass]), network([detail + low_pass, tf.zeros_like(detail)]), atol=1e-6
        )


class TestErrors:
    def test_an_image_too_small_for_two_levels(self):
        with pytest.raises(
            InputError, match=r"halves have 4 or more pixels per side\. Received: data_shape=\(6, 6, 1\)"
        ):
            LAPGAN((6, 6, 1))

    def test_vectors(self):
        with pytest.raises(InputError, match=r"Received: data_shape=\(2,\)"):
            LAPGAN((2,))

    def test_sizes_of_another_image(self):
        with pytest.raises(
            InputError, match=r"`sizes` must be .* from \(10, 9\).* Received: sizes=\(\(8, 8\), \(4, 4\)\)"
        ):
            build(sizes=((8, 8), (4, 4)))

    @pytest.mark.parametrize("name", ["filters", "units", "latent_size"])
    def test_settings_out_of_range(self, name):
        with pytest.raises(InputError, match=f"`{name}` must be a positive integer. Received: {name}=0"):
            build(**{name: 0})

    def test_a_network_of_another_level(self):
        networks = constants([np.zeros((*size, 1), "float32") for size in SIZES])
        message = (
            "`generators[0]` must take inputs of shape (None, 10, 9, 1) and (None, 10, 9, 1). Received: a network for"
        )
        with pytest.raises(InputError, match=re.escape(message)):
            build(generators=[networks[1], networks[0], networks[2]])


def test_the_shipped_model_gives_the_label_that_is_asked_for():
    labels = np.repeat(np.arange(10), 50)
    samples = zoo.load("cc_lapgan-fashion_mnist").sample(len(labels), labels)
    seen = ClassifierFeatures("fashion_mnist")(samples).probabilities.argmax(axis=-1)
    assert np.mean(seen == labels) >= 0.7
