"""Draws follow from their seed alone, whoever computes them."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from zoo import draws

SEED = tf.constant([3, -5])

# How far a mean of 100,000 draws of unit variance may be from its expectation: 4 standard errors.
COUNT, FOUR_ERRORS = 100_000, 4 / np.sqrt(100_000)


@pytest.mark.parametrize("compiler", [tf.function, partial(tf.function, jit_compile=True)], ids=["graph", "xla"])
def test_a_compiled_function_draws_what_eager_code_draws(compiler):
    @compiler
    def draw(seed):
        return draws.uniform([1000], draws.fold(seed, 7))

    np.testing.assert_array_equal(draw(SEED), draws.uniform([1000], draws.fold(SEED, 7)))


def test_published_samples_keep_their_numbers():
    drawn = draws.uniform([3], draws.fold(draws.named_seed(0, "sample"), 1))
    np.testing.assert_array_equal(drawn, np.float32([0.7770459055900574, 0.22482830286026, 0.3888928294181824]))


EXTREMES = [0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63)]
ROWS = tf.bitcast(tf.constant([*EXTREMES, *np.random.default_rng(0).integers(-(2**63), 2**63, 50)]), tf.int32)


@pytest.mark.parametrize("compiler", [tf.function, partial(tf.function, jit_compile=True)], ids=["graph", "xla"])
@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 2), (100,)], ids=str)
def test_rows_draw_what_each_of_their_seeds_draws_alone(shape, compiler):
    drawn = compiler(partial(draws.uniform_rows, shape))(ROWS)
    np.testing.assert_array_equal(drawn, [draws.uniform(shape, seed) for seed in ROWS])
    np.testing.assert_array_equal(compiler(partial(draws.uniform_rows, shape))(ROWS[:1]), drawn[:1])


@pytest.mark.parametrize("data", [0, 3, -7])
def test_rows_fold_as_each_of_their_seeds_folds_alone(data):
    np.testing.assert_array_equal(draws.fold_rows(ROWS, data), [draws.fold(seed, data) for seed in ROWS])


def test_no_rows_draw_nothing():
    assert draws.uniform_rows([3], draws.fold_rows(ROWS[:0], 1)).shape == (0, 3)


def test_uniform_is_inside_the_open_interval_whatever_the_bits(monkeypatch):
    extremes = tf.constant([0, 2**32 - 1], tf.uint32)
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda *args, **kwargs: extremes)
    assert draws.uniform([2], SEED).numpy().tolist() == [2.0**-24, 1 - 2.0**-24]


def test_uniform_has_the_moments_of_the_unit_interval():
    standardised = (draws.uniform([COUNT], SEED).numpy().astype(np.float64) - 0.5) * np.sqrt(12)
    assert standardised.mean() == pytest.approx(0, abs=FOUR_ERRORS)
    assert (standardised**2).mean() == pytest.approx(1, abs=FOUR_ERRORS * np.sqrt(0.8))  # Var(X^2) of that X is 4/5


def test_draws_of_neighbouring_folds_are_uncorrelated():
    first, second = (draws.uniform([COUNT], draws.fold(SEED, data)).numpy() for data in (0, 1))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=FOUR_ERRORS)


def test_every_64_bit_seed_and_name_has_draws_of_its_own():
    seeds = [0, 1, -1, 2**31, -(2**31), 2**32, 2**32 + 1, -(2**32), 2**63 - 1, -(2**63)]
    named = [draws.named_seed(seed, name) for seed in seeds for name in ("latents", "labels")]
    assert len({tuple(draws.uniform([2], seed).numpy()) for seed in named}) == len(named)


def test_fold_takes_a_step_counter_of_64_bits():
    np.testing.assert_array_equal(draws.fold(SEED, tf.constant(9, tf.int64)), draws.fold(SEED, 9))


def test_the_order_of_folds_matters():
    one_two, two_one = (draws.fold(draws.fold(SEED, a), b).numpy().tolist() for a, b in ((1, 2), (2, 1)))
    assert one_two != two_one


def test_one_replica_draws_every_row():
    np.testing.assert_array_equal(draws.replica_uniform(6, [2], SEED), draws.uniform([6, 2], SEED))


def test_two_replicas_draw_the_rows_of_one(mirrored):
    drawn = mirrored.run(lambda: draws.replica_uniform(3, [2], SEED))
    rows = tf.concat(mirrored.experimental_local_results(drawn), axis=0)
    np.testing.assert_array_equal(rows, draws.uniform([6, 2], SEED))


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.999999])
def test_a_mask_drops_what_lies_below_its_rate_and_has_mean_one(rate, monkeypatch):
    every = np.arange(2**16, dtype=np.uint16).view(np.uint32)[:, np.newaxis]  # each 16 bits once
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda *args, **kwargs: tf.constant(every))
    mask = draws.replica_mask(2**15, [2], rate, SEED).numpy().ravel()
    assert mask.astype(np.float64).mean() == pytest.approx(1, abs=1e-6)
    dropped = min(round(rate * 2**16), 2**16 - 1)
    np.testing.assert_array_equal(mask == 0, np.arange(2**16) < dropped)


def test_two_replicas_mask_the_rows_of_one(mirrored):
    masks = mirrored.run(lambda: draws.replica_mask(3, [5], 0.5, SEED))
    rows = tf.concat(mirrored.experimental_local_results(masks), axis=0)
    np.testing.assert_array_equal(rows, draws.replica_mask(6, [5], 0.5, SEED))


@pytest.mark.parametrize("shape", [(5,), (3, 2, 1), ()], ids=str)
def test_normal_draws_have_a_normal_distribution(shape):
    drawn = draws.replica_normal(COUNT, shape, SEED).numpy()
    assert drawn.shape == (COUNT, *shape)
    columns = drawn.reshape(COUNT, -1)
    assert stats.kstest(columns[:, 0], "norm").pvalue > 0.01
    correlations = np.corrcoef(columns.T)
    np.testing.assert_allclose(correlations, np.eye(columns.shape[1]).reshape(correlations.shape), atol=FOUR_ERRORS)
