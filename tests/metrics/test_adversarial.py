import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import Player, best_before_panel, generative_adversarial_metric, panel_errors


def images(real_shares, count=1000):
    """A thousand "images" whose columns say which discriminator takes how many of them for real."""
    rows = np.arange(count)[:, None]
    return np.where(rows < count * np.array(real_shares), 1.0, -1.0)


def outcome(first, second, test_images):
    """The metric without its interval."""
    result = generative_adversarial_metric(first, second, test_images)
    low, high = result.pop("r_sample_interval")
    assert low <= result["r_sample"] <= high
    return result


def score(column):
    return lambda batch: batch[:, [column]]


# Discriminator 0, the first player's, takes 200 of the other's samples for real; discriminator 1 takes 400.
FIRST = Player(images([1.0, 0.4]), score(0))
SECOND = Player(images([0.2, 1.0]), score(1))


def test_the_smaller_error_on_the_others_samples_wins():
    result = outcome(FIRST, SECOND, images([0.8, 0.8]))
    assert result == {"r_test": 1.0, "r_sample": 0.5, "winner": "first"}


def test_the_order_of_the_players_does_not_matter():
    result = outcome(SECOND, FIRST, images([0.8, 0.8]))
    assert result == {"r_test": 1.0, "r_sample": 2.0, "winner": "second"}


def test_a_discriminator_that_fails_on_test_data_ties():
    result = outcome(FIRST, SECOND, images([0.4, 0.8]))
    assert result == {"r_test": pytest.approx(3.0), "r_sample": 0.5, "winner": "tie"}


def test_the_interval_is_that_of_the_two_shares():
    """By the delta method log r has the variance (1 - e1) / (n e1) + (1 - e2) / (n e2)."""
    low, high = generative_adversarial_metric(FIRST, SECOND, images([0.8, 0.8]))["r_sample_interval"]
    spread = 1.96 * np.sqrt(0.8 / 200 + 0.6 / 400)
    np.testing.assert_allclose(np.log([low, high]), [np.log(0.5) - spread, np.log(0.5) + spread], atol=0.02)


@pytest.mark.parametrize(("share", "count"), [(0.7, 10), (0.97, 1000), (0.993, 100_000)])
def test_what_chance_or_a_small_difference_may_account_for_ties(share, count):
    """Of ten samples 7 and 10 are within chance; 0.993 and 1 differ beyond it, as those of untrained models may."""
    second = Player(images([share, 1.0], count), score(1))
    first = Player(images([1.0, 1.0], count), score(0))
    assert outcome(first, second, images([0.8, 0.8]))["winner"] == "tie"


def test_zero_errors():
    perfect = Player(images([0.0, 0.0]), score(0))
    result = outcome(perfect, Player(images([0.0, 0.0]), score(1)), images([1.0, 1.0]))
    assert result == {"r_test": 1.0, "r_sample": 1.0, "winner": "tie"}
    result = outcome(FIRST, Player(images([0.0, 0.0]), score(1)), images([0.8, 1.0]))
    assert result["r_test"] == np.inf
    assert result["winner"] == "tie"


def test_a_panel_reports_its_mean_and_least_error():
    errors = panel_errors(images([0.5, 0.1]), [score(0), score(1)])
    assert errors == pytest.approx({"average": 0.3, "worst": 0.1})


def test_the_best_before_a_panel_has_the_greatest_average_error():
    samples = [images([0.5, 0.1]), images([0.3, 0.4]), images([0.4, 0.3])]
    best, errors = best_before_panel(samples, [score(0), score(1)])
    assert best == 1  # of two that are equal, though the first has the greatest error of all
    assert [error["average"] for error in errors] == pytest.approx([0.3, 0.35, 0.35])
    assert errors[2] == panel_errors(samples[2], [score(0), score(1)])


def test_no_generator_cannot_be_the_best():
    with pytest.raises(InputError, match=r"at least one generator\. Received: none"):
        best_before_panel([], [score(0)])


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        (lambda batch: batch, "one score for each image. Received: 2000 of 1000"),
        (lambda batch: batch[:, 0] * np.nan, "finite"),
    ],
)
def test_scores_that_judge_nothing_are_refused(judge, message):
    with pytest.raises(InputError, match=message):
        panel_errors(images([0.5, 0.5]), [judge])
    with pytest.raises(InputError, match=message):
        generative_adversarial_metric(FIRST, SECOND._replace(score=judge), images([0.8, 0.8]))


def test_images_to_judge_need_one_shape_and_a_judge():
    with pytest.raises(InputError, match=r"\[2\], \[2\] and \[3\]"):
        generative_adversarial_metric(FIRST, SECOND, images([0.8, 0.8, 0.8]))
    with pytest.raises(InputError, match="at least one"):
        panel_errors(images([0.5]), [])
