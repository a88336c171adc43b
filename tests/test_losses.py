"""Losses against NumPy in float64 and against what theory says of them."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from zoo import losses

REAL = np.array([[-3.0], [-0.5], [0.25], [4.0]])
FAKE = np.array([[2.5], [-1.0], [0.75], [-6.0], [0.125]])


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


DISCRIMINATOR = losses.cross_entropy_discriminator_loss, -np.log(sigmoid(REAL)).mean() - np.log(sigmoid(-FAKE)).mean()
SATURATING = losses.saturating_generator_loss, np.log(sigmoid(-FAKE)).mean()
NON_SATURATING = losses.non_saturating_generator_loss, -np.log(sigmoid(FAKE)).mean()
PAIRS = losses.pair_generator_loss, -np.log(sigmoid(-REAL)).mean() - np.log(sigmoid(FAKE)).mean()
CRITIC = losses.wasserstein_critic_loss, FAKE.mean() - REAL.mean()
CRITICISED = losses.wasserstein_generator_loss, -FAKE.mean()
ALL = [
    *((*of_both, [REAL, FAKE]) for of_both in (DISCRIMINATOR, PAIRS, CRITIC)),
    *((*of_fakes, [FAKE]) for of_fakes in (SATURATING, NON_SATURATING, CRITICISED)),
]


@pytest.mark.parametrize("shape", [(-1, 1), (-1,)])
@pytest.mark.parametrize(("loss", "expected", "logits"), ALL)
def test_the_value_is_numpys(loss, expected, logits, shape):
    assert float(loss(*(values.reshape(shape) for values in logits))) == pytest.approx(expected, rel=1e-6)


def test_the_hinge_leaves_alone_what_is_beyond_its_margin():
    real, fake = np.maximum(1 - REAL, 0), np.maximum(1 + FAKE, 0)
    assert float(losses.hinge_discriminator_loss(REAL, FAKE)) == pytest.approx(real.mean() + fake.mean(), rel=1e-6)
    slopes = gradient(lambda logits: losses.hinge_discriminator_loss(logits, FAKE), REAL)
    np.testing.assert_array_equal(slopes, np.where(REAL < 1, -1 / len(REAL), 0).astype(np.float32))
    slopes = gradient(lambda logits: losses.hinge_discriminator_loss(REAL, logits), FAKE)
    np.testing.assert_array_equal(slopes, np.where(FAKE > -1, 1 / len(FAKE), 0).astype(np.float32))
    assert losses.hinge_discriminator_loss(tf.cast(REAL, tf.bfloat16), tf.cast(FAKE, tf.bfloat16)).dtype == tf.float32


def test_large_logits_do_not_overflow():
    wrong_by_200 = np.array([[-200.0]]), np.array([[200.0]])
    assert float(losses.cross_entropy_discriminator_loss(*wrong_by_200)) == 400
    assert float(losses.saturating_generator_loss([[200.0]])) == -200
    assert float(losses.non_saturating_generator_loss([[-200.0]])) == 200


@pytest.mark.parametrize(("loss", "expected", "logits"), ALL)
def test_bfloat16_logits_are_computed_in_float32(loss, expected, logits):
    halves = [tf.cast(values, tf.bfloat16) for values in logits]
    value = loss(*halves)
    assert value.dtype == tf.float32
    assert float(value) == pytest.approx(expected, rel=1e-6)  # these logits are exact in bfloat16


class TestOptimalDiscriminator:
    """For p and q known, D* = p / (p + q) and the value of the game is -log 4 + 2 JSD(p, q)."""

    p, q = stats.norm(0, 1), stats.norm(2, 1.5)

    def loss(self, bias=0.0):
        """The loss of D* with its logit shifted, on points of equal probability instead of random ones."""
        shares = (np.arange(20_000) + 0.5) / 20_000
        points = self.p.ppf(shares), self.q.ppf(shares)
        logits = [self.p.logpdf(x) - self.q.logpdf(x) + bias for x in points]
        return float(losses.cross_entropy_discriminator_loss(*logits))

    def test_the_loss_is_log_4_less_twice_the_divergence(self):
        x = np.linspace(-15, 15, 30_001)
        p, q = self.p.pdf(x), self.q.pdf(x)
        mixture = (p + q) / 2
        divergence = np.trapezoid((p * np.log(p / mixture) + q * np.log(q / mixture)) / 2, x)
        assert self.loss() == pytest.approx(np.log(4) - 2 * divergence, abs=1e-4)

    def test_no_shift_of_the_logit_is_better(self):
        assert self.loss() < min(self.loss(bias=0.1), self.loss(bias=-0.1))


def gradient(loss, logits):
    logits = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(logits)
    return tape.gradient(value, logits).numpy()


def test_the_generators_gradients_are_minus_sigmoid_of_the_logit_or_of_its_negative():
    count = len(FAKE)
    np.testing.assert_allclose(gradient(losses.saturating_generator_loss, FAKE), -sigmoid(FAKE) / count, rtol=1e-6)
    np.testing.assert_allclose(gradient(losses.non_saturating_generator_loss, FAKE), -sigmoid(-FAKE) / count, rtol=1e-6)


def test_where_the_discriminator_is_sure_only_the_saturating_gradient_vanishes():
    assert -1e-8 < gradient(losses.saturating_generator_loss, [[-20.0]]) < 0
    np.testing.assert_allclose(gradient(losses.non_saturating_generator_loss, [[-20.0]]), -1, rtol=1e-6)


def test_accuracies_are_shares_of_each_side_and_an_undecided_logit_is_wrong():
    accuracies = losses.discriminator_accuracies(tf.constant([1.0, -1.0, 2.0, 0.0]), tf.constant([-1.0, 3.0, 2.0, 0.0]))
    assert {name: float(value) for name, value in accuracies.items()} == {"real_accuracy": 0.5, "fake_accuracy": 0.25}


class TestGradientNorms:
    POINTS = np.random.default_rng(0).normal(size=(6, 4, 3, 2)).astype(np.float32)

    @staticmethod
    def critic(points):
        """A score whose gradient is known: sum x^3 / 3 + 2 sum x."""
        return tf.reduce_sum(points**3 / 3 + 2 * points, axis=(1, 2, 3))[:, None]

    def test_they_are_a_row_each_over_all_other_axes(self):
        expected = np.sqrt(((self.POINTS.astype(np.float64) ** 2 + 2) ** 2).sum(axis=(1, 2, 3)))
        np.testing.assert_allclose(losses.gradient_norms(self.critic, self.POINTS), expected, rtol=1e-6)

    def test_scores_may_have_one_axis_and_points_too_few_bits(self):
        halves = tf.cast(self.POINTS, tf.bfloat16)
        norms = losses.gradient_norms(lambda points: tf.cast(self.critic(points)[:, 0], tf.bfloat16), halves)
        assert norms.dtype == tf.float32
        exact = losses.gradient_norms(self.critic, tf.cast(halves, tf.float32))
        np.testing.assert_allclose(norms, exact, rtol=1e-6)

    def test_they_are_differentiable_by_finite_differences(self):
        weights = tf.Variable([0.3, -1.2])
        points = tf.constant([[0.5, 2.0], [1.0, -0.4], [-2.0, 0.1]])

        def penalty():
            return losses.two_sided_penalty(
                losses.gradient_norms(lambda x: tf.tanh(x @ weights[:, None]) + tf.reduce_sum(x**2 * weights), points)
            )

        with tf.GradientTape() as tape:
            value = penalty()
        slope = tape.gradient(value, weights).numpy()
        for index in range(2):
            sides = []
            for change in (1e-2, -1e-2):
                weights.scatter_nd_add([[index]], [change])
                sides.append(float(penalty()))
                weights.scatter_nd_add([[index]], [-change])
            assert slope[index] == pytest.approx((sides[0] - sides[1]) / 2e-2, rel=2e-3)

    def test_a_gradient_of_zero_has_a_finite_slope(self):
        slope = tf.Variable(0.0)
        with tf.GradientTape() as tape:
            norms = losses.gradient_norms(lambda x: slope * x, tf.ones([3, 1]))
            loss = losses.two_sided_penalty(norms)
        np.testing.assert_allclose(norms, 1e-6, rtol=1e-6)
        assert float(tape.gradient(loss, slope)) == 0


def test_penalties_of_slope_3_are_4_and_of_slope_a_half_a_quarter_or_nothing():
    steep, flat = (losses.gradient_norms(lambda x, slope=slope: slope * x, tf.ones([5, 1])) for slope in (3.0, 0.5))
    values = [
        float(penalty(norms))
        for penalty in (losses.two_sided_penalty, losses.one_sided_penalty)
        for norms in (steep, flat)
    ]
    assert values == pytest.approx([4, 0.25, 4, 0], rel=1e-6)
    assert float(losses.two_sided_penalty(steep, target=2.0)) == pytest.approx(1, rel=1e-6)


def test_points_between_lie_on_the_segments_of_their_rows():
    first, second = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)
    shares = np.array([0.0, 1.0, 0.25], np.float32)[:, None, None]
    expected = [first[0], second[1], 0.75 * first[2] + 0.25 * second[2]]
    np.testing.assert_allclose(losses.between(first, second, shares), expected, rtol=1e-5, atol=1e-7)


def test_accuracies_may_have_another_boundary():
    accuracies = losses.discriminator_accuracies(tf.constant([1.0, 0.5, 2.0, 0.4]), tf.constant([-1.0, 0.5]), 0.5)
    assert {name: float(value) for name, value in accuracies.items()} == {"real_accuracy": 0.5, "fake_accuracy": 0.5}


def test_matching_features_compares_their_means_over_the_batch():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(7, 5)), rng.normal(size=(4, 5))
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() / 5
    assert float(losses.feature_matching_loss(real, fake)) == pytest.approx(expected, rel=1e-6)


def test_smoothing_changes_the_target_of_data_alone():
    real, fake = sigmoid(REAL), sigmoid(FAKE)
    expected = -(0.9 * np.log(real) + 0.1 * np.log(1 - real)).mean() - np.log(1 - fake).mean()
    assert float(losses.smoothed_discriminator_loss(REAL, FAKE, 0.9)) == pytest.approx(expected, rel=1e-6)
    plain = losses.cross_entropy_discriminator_loss(REAL, FAKE)
    assert float(losses.smoothed_discriminator_loss(REAL, FAKE, 1.0)) == pytest.approx(float(plain), rel=1e-6)


def test_consistency_compares_the_probabilities_of_the_classes():
    first, second = (np.random.default_rng(seed).normal(size=(6, 4)) for seed in (0, 1))
    probabilities = [np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) for logits in (first, second)]
    expected = ((probabilities[0] - probabilities[1]) ** 2).sum() / (6 * 4)
    assert float(losses.class_consistency(first, second)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.class_consistency(first, first + 3)) == pytest.approx(0, abs=1e-12)


class TestClassesAndOneMore:
    LOGITS = np.random.default_rng(0).normal(scale=3, size=(6, 4))
    LABELS = np.array([0, 3, -1, 2, -1, 3])

    @property
    def probabilities(self):
        """Of the four classes and the fifth, whose logit is 0: an explicit softmax."""
        exponentials = np.exp(np.concatenate([self.LOGITS, np.zeros((6, 1))], axis=1))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def test_the_odds_are_those_of_an_explicit_softmax_whose_last_logit_is_0(self):
        fake = self.probabilities[:, -1]
        np.testing.assert_allclose(losses.real_log_odds(self.LOGITS), np.log((1 - fake) / fake), rtol=1e-5)

    def test_the_discriminators_loss_is_the_cross_entropy_of_the_explicit_softmax(self):
        odds = losses.real_log_odds(self.LOGITS)
        loss = losses.cross_entropy_discriminator_loss(odds[:3], odds[3:])
        real, fake = self.probabilities[:3, -1], self.probabilities[3:, -1]
        assert float(loss) == pytest.approx(-np.log(1 - real).mean() - np.log(fake).mean(), rel=1e-5)

    def test_rows_are_classified_given_that_they_are_real_and_those_without_a_label_are_not(self):
        given_real = self.probabilities[:, :-1] / (1 - self.probabilities[:, -1:])
        known = self.LABELS >= 0
        expected = -np.log(given_real[known, self.LABELS[known]]).mean()
        assert float(losses.classification_loss(self.LOGITS, self.LABELS)) == pytest.approx(expected, rel=1e-5)
        slope = gradient(lambda logits: losses.classification_loss(logits, self.LABELS), self.LOGITS)
        assert (np.abs(slope).max(axis=1) > 0).tolist() == known.tolist()

    def test_without_any_label_the_loss_is_0(self):
        assert float(losses.classification_loss(self.LOGITS, np.full(6, -1))) == 0

    def test_large_logits_do_not_overflow(self):
        np.testing.assert_array_equal(losses.real_log_odds([[200.0, -200.0], [-300.0, -200.0]]), [200, -200])
