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
ALL = [(*DISCRIMINATOR, [REAL, FAKE]), (*PAIRS, [REAL, FAKE]), (*SATURATING, [FAKE]), (*NON_SATURATING, [FAKE])]


@pytest.mark.parametrize("shape", [(-1, 1), (-1,)])
@pytest.mark.parametrize(("loss", "expected", "logits"), ALL)
def test_the_value_is_numpys(loss, expected, logits, shape):
    assert float(loss(*(values.reshape(shape) for values in logits))) == pytest.approx(expected, rel=1e-6)


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
