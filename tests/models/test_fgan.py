"""f-GAN: conjugates against numeric suprema, f against TensorFlow Probability, the single step in NumPy, settings."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from by_hand import arrays, slopes
from scipy import optimize, special

from zoo.errors import InputError
from zoo.models.fgan import DIVERGENCES, FGAN, KNOWN, alpha_divergence, bounded
from zoo.optimizers import Adam

DATA = tf.random.stateless_normal([8, 3], [0, 1])
RATES = {"generator": 0.3, "discriminator": 0.2}
ALPHAS = (-1.5, 0.5, 2.0, 3.0)


def alpha_f(alpha):
    return lambda u: (u**alpha - 1 - alpha * (u - 1)) / (alpha * (alpha - 1))


# The functions f of the paper, from its definitions.
F = {
    "total_variation": lambda u: np.abs(u - 1) / 2,
    "kullback_leibler": lambda u: u * np.log(u),
    "reverse_kullback_leibler": lambda u: -np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "neyman": lambda u: (1 - u) ** 2 / u,
    "squared_hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "jeffrey": lambda u: (u - 1) * np.log(u),
    "jensen_shannon": lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2),
    "gan": lambda u: u * np.log(u) - (u + 1) * np.log(u + 1),
    **{f"alpha {alpha}": alpha_f(alpha) for alpha in ALPHAS},
}
TABLE = {**DIVERGENCES, **{f"alpha {alpha}": alpha_divergence(alpha) for alpha in ALPHAS}}

vi = tfp.vi
# The same functions of log u, as TensorFlow Probability has them.
OF_LOG_U = {
    "total_variation": vi.total_variation,
    "kullback_leibler": vi.kl_forward,
    "reverse_kullback_leibler": vi.kl_reverse,
    "pearson": vi.pearson,
    "neyman": lambda logu: vi.dual_csiszar_function(logu, vi.pearson),
    "squared_hellinger": vi.squared_hellinger,
    "jeffrey": lambda logu: 2 * vi.jeffreys(logu),
    "jensen_shannon": lambda logu: vi.jensen_shannon(logu, self_normalized=True),
    "gan": vi.jensen_shannon,
    **{
        f"alpha {alpha}": lambda logu, alpha=alpha: vi.amari_alpha(logu, alpha, self_normalized=True)
        for alpha in ALPHAS
    },
}


@pytest.fixture(params=F)
def name(request):
    return request.param


def supremum(f, t):
    """The largest u t - f(u) over u > 0, on a grid of log u and then between the neighbours of its best point."""

    def height(log_u):
        return np.exp(log_u) * t - f(np.exp(log_u))

    grid = np.linspace(-40, 40, 801)
    best = np.argmax(height(grid))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, 800)]
    return -optimize.minimize_scalar(
        lambda x: -height(x), bounds=bounds, method="bounded", options={"xatol": 1e-12}
    ).fun


def linear(inputs, outputs, seed):
    """A linear map with a kernel and a bias of order one."""
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=keras.random.SeedGenerator(seed))
    dense = keras.layers.Dense(outputs, kernel_initializer=initializer, bias_initializer=initializer)
    return keras.Sequential([keras.Input((inputs,)), dense])


def make(**settings):
    """A linear model of 3-vectors, trained by gradient descent."""
    own = {"generator": linear(2, 3, seed=1), "discriminator": linear(3, 1, seed=2)}
    model = FGAN((3,), latent_size=2, **{**own, **settings})
    model.compile(**{f"{player}_optimizer": keras.optimizers.SGD(rate) for player, rate in RATES.items()})
    return model


class TestTable:
    def test_every_name_has_its_divergence(self):
        assert sorted([*F, "alpha"]) == sorted([*KNOWN, *(name for name in F if name.startswith("alpha"))])

    def test_f_is_that_of_tensorflow_probability(self, name):
        u = np.array([0.05, 0.4, 1.0, 1.7, 12.0])
        np.testing.assert_allclose(F[name](u), OF_LOG_U[name](tf.constant(np.log(u))), rtol=1e-10, atol=1e-12)

    def test_the_conjugate_is_the_supremum_over_the_range_of_the_activation(self, name):
        divergence = TABLE[name]
        for v in np.linspace(-4, 4, 9):
            t = float(divergence.activation(tf.constant(v, tf.float64)))
            conjugate = float(divergence.conjugate(tf.constant(t, tf.float64)))
            if name == "pearson":  # over all real u
                expected = -optimize.minimize_scalar(lambda u, t=t: F["pearson"](u) - u * t).fun
            else:
                expected = supremum(F[name], t)
            assert conjugate == pytest.approx(expected, abs=1e-6)

    def test_the_threshold_is_the_slope_of_f_at_1(self, name):
        width = 1e-6
        # |u - 1| has no slope at 1; the mean of both sides is what the table has.
        slope = (F[name](1 + width) - F[name](1 - width)) / (2 * width)
        assert TABLE[name].threshold == pytest.approx(slope, abs=1e-8)

    def test_the_activation_rises_and_meets_the_threshold_at_0_or_at_1(self, name):
        values = TABLE[name].activation(tf.constant(np.linspace(-5, 5, 101)))
        assert (np.diff(values) > 0).all()
        crossing = 1.0 if name == "kullback_leibler" else 0.0
        if not name.startswith("alpha") or float(name.split()[1]) > 1:
            threshold = TABLE[name].activation(tf.constant(crossing, tf.float64))
            assert float(threshold) == pytest.approx(TABLE[name].threshold, abs=1e-12)

    def test_the_bound_is_the_divergence_where_t_is_the_slope_of_f_at_the_ratio(self, name):
        p, q = np.array([0.5, 0.25, 0.15, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
        u, width = p / q, 1e-6
        t = (F[name](u + width) - F[name](u - width)) / (2 * width)
        bound = (p * t).sum() - (q * TABLE[name].conjugate(tf.constant(t)).numpy()).sum()
        assert bound == pytest.approx((q * F[name](u)).sum(), abs=1e-7)
        lower = (p * (t - 0.01)).sum() - (q * TABLE[name].conjugate(tf.constant(t - 0.01)).numpy()).sum()
        assert lower < bound + (1e-12 if name == "total_variation" else 0)  # its bound is linear in T


class TestBounded:
    def test_it_is_the_identity_up_to_20_and_makes_the_exponential_its_tangent_beyond(self):
        v = tf.constant([-20.0, -3.0, 0.0, 7.5, 20.0], tf.float64)
        np.testing.assert_array_equal(bounded(v), v)
        v = np.array([21.0, 50.0, 1e4])
        np.testing.assert_allclose(np.exp(bounded(tf.constant(v))), np.exp(20) * (1 + v - 20), rtol=1e-10)
        np.testing.assert_array_equal(bounded(tf.constant(-v)), -bounded(tf.constant(v)).numpy())

    def test_values_and_gradients_are_finite_for_any_moderate_v(self, name):
        v = tf.constant([-1e6, -300.0, -20.0, 0.0, 20.0, 300.0, 1e6], tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(v)
            t = TABLE[name].activation(bounded(v))
            conjugate = TABLE[name].conjugate(t)
        for values in (t, conjugate, tape.gradient(t, v), tape.gradient(conjugate, v)):
            assert np.isfinite(values).all()
            assert np.isfinite(tf.cast(values, tf.float32)).all()


# g_f and f* by their formulas, for the steps.
NUMPY = {
    "kullback_leibler": (lambda v: v, lambda t: np.exp(t - 1)),
    "squared_hellinger": (lambda v: 1 - np.exp(-v), lambda t: t / (1 - t)),
    "jeffrey": (
        lambda v: v,
        lambda t: special.lambertw(np.exp(1 - t)).real + 1 / special.lambertw(np.exp(1 - t)).real + t - 2,
    ),
}


class TestStep:
    @pytest.mark.parametrize("alternative", [False, True])
    @pytest.mark.parametrize("divergence", NUMPY)
    def test_both_players_move_at_once_down_the_slopes_of_the_equations(self, divergence, alternative):
        model = make(divergence=divergence, alternative_objective=alternative)
        activation, conjugate = NUMPY[divergence]
        weights = kernel, bias, w, w_bias = arrays(model.generator, model.discriminator)
        latents, real = model.draw_latents(DATA, "step").numpy(), DATA.numpy().astype(np.float64)
        logs = model.train_step({"image": DATA})

        def t(data):
            return activation(data @ w + w_bias)

        def bound():
            return t(real).mean() - conjugate(t(latents @ kernel + bias)).mean()

        def generator_loss():
            return -t(latents @ kernel + bias).mean() if alternative else bound()

        assert float(logs["discriminator_loss"]) == pytest.approx(-bound(), rel=1e-5)
        assert float(logs["generator_loss"]) == pytest.approx(generator_loss(), rel=1e-5)
        threshold = DIVERGENCES[divergence].threshold
        accuracies = (t(real) > threshold).mean(), (t(latents @ kernel + bias) < threshold).mean()
        assert (float(logs["real_accuracy"]), float(logs["fake_accuracy"])) == accuracies
        steps = [
            *(-0.3 * slope for slope in slopes(generator_loss, [kernel, bias])),
            *(0.2 * slope for slope in slopes(bound, [w, w_bias])),
        ]
        after = arrays(model.generator, model.discriminator)
        for value, old, step in zip(after, weights, steps, strict=True):
            np.testing.assert_allclose(value, old + step, rtol=1e-4, atol=1e-5)
        assert [int(model.optimizer_of(player).iterations) for player in model.players] == [1, 1]

    def test_one_forward_pass_serves_both(self, monkeypatch):
        calls, variational = [], FGAN.variational
        monkeypatch.setattr(
            FGAN, "variational", lambda *args, **kwargs: calls.append(1) or variational(*args, **kwargs)
        )
        make().train_step({"image": DATA})
        assert len(calls) == 2  # data and samples

    @pytest.mark.slow
    def test_xla_takes_the_step_of_lamberts_function(self):
        plain, compiled = make(divergence="jeffrey"), make(divergence="jeffrey")
        plain.train_step({"image": DATA})
        tf.function(compiled.train_step, jit_compile=True, autograph=False)({"image": DATA})
        for one, other in zip(arrays(plain), arrays(compiled), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

    def test_two_replicas_follow_one(self, mirrored):
        rows = tf.data.Dataset.from_tensors({"image": DATA}).repeat()
        one = make()
        one.fit(rows, steps_per_epoch=5, verbose=0)
        with mirrored.scope():
            two = make()
        two.fit(rows, steps_per_epoch=5, verbose=0)
        for left, right in zip(arrays(one), arrays(two), strict=True):
            np.testing.assert_allclose(left, right, atol=1e-5)


class TestPaperSettings:
    @pytest.fixture(scope="class")
    def model(self):
        model = FGAN((28, 28, 1))
        model.compile()
        return model

    def test_the_generator_has_two_layers_of_1200_normalised_units_and_sigmoid_pixels(self, model):
        hidden = ["Dense", "FusedBatchNormalization", "ReLU"]
        names = [type(layer).__name__ for layer in model.generator.layers]
        assert names == ["InputLayer", *2 * hidden, "Dense", "Activation", "Reshape"]
        assert model.generator.count_params() == 100 * 1200 + 1200**2 + 2 * 4 * 1200 + (1200 + 1) * 784
        assert model.generator.layers[-2].activation is keras.activations.sigmoid
        assert model.value_range == (0, 1)

    def test_the_discriminator_has_two_layers_of_240_exponential_linear_units(self, model):
        dense = model.discriminator.layers[-1].layers[1:]
        assert [(layer.units, layer.activation) for layer in dense] == [
            (240, keras.activations.elu), (240, keras.activations.elu), (1, keras.activations.linear),
        ]  # fmt: skip

    def test_latents_are_100_and_uniform_between_minus_1_and_1(self, model):
        np.testing.assert_array_equal(model.prior.quantile([[0.0], [1.0]]), [[-1] * 100, [1] * 100])

    @pytest.mark.parametrize("player", FGAN.players)
    def test_adam_has_a_low_rate_and_a_low_first_momentum(self, model, player):
        config = model.optimizer_of(player).get_config()
        assert type(model.optimizer_of(player)) is Adam
        assert [config[name] for name in ("learning_rate", "beta_1", "beta_2", "epsilon")] == pytest.approx(
            [2e-4, 0.5, 0.999, 1e-8], rel=1e-6
        )


def test_the_score_is_t_and_its_boundary_the_threshold():
    model = make(divergence="reverse_kullback_leibler")
    w, w_bias = arrays(model.discriminator)
    np.testing.assert_allclose(model.score(DATA, None), -np.exp(-(DATA.numpy() @ w + w_bias)), rtol=1e-5)
    assert model.decision_boundary == -1


@pytest.mark.parametrize("alpha", ALPHAS)
def test_alpha_is_kept_in_the_config(alpha):
    model = FGAN((3,), latent_size=2, divergence="alpha", alpha=alpha, generator_units=2, discriminator_units=2)
    copy = FGAN.from_config(model.get_config())
    assert (copy.divergence, copy.alpha) == ("alpha", alpha)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"divergence": "wasserstein"}, f"must be one of {', '.join(KNOWN)}. Received: divergence='wasserstein'"),
        ({"divergence": "alpha"}, "Received: alpha=None, divergence='alpha'"),
        ({"divergence": "alpha", "alpha": 0}, "Received: alpha=0, divergence='alpha'"),
        ({"divergence": "alpha", "alpha": 1.0}, "Received: alpha=1.0, divergence='alpha'"),
        ({"divergence": "alpha", "alpha": float("nan")}, "Received: alpha=nan, divergence='alpha'"),
        ({"divergence": "pearson", "alpha": 0.5}, "Received: alpha=0.5, divergence='pearson'"),
        ({"generator_units": 0}, "`generator_units` must be a positive integer. Received: generator_units=0"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make(**settings)
