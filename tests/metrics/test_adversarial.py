import numpy as np
import pytest

from zoo.errors import InputError
from zoo.metrics import Player, best_before_panel, generative_adversarial_metric, panel_errors


def images(real_shares):
    """Ten "images" whose columns say which discriminator takes how many of them for real."""
    rows = np.arange(10)[:, None]
    return np.where(rows < 10 * np.array(real_shares), 1.0, -1.0)


def score(column):
    return lambda batch: batch[:, [column]]


# Discriminator 0, the first player's, takes 2 of the other's ten samples for real; discriminator 1 takes 4.
FIRST = Player(images([1.0, 0.4]), score(0))
SECOND = Player(images([0.2, 1.0]), score(1))


def test_the_smaller_error_on_the_others_samples_wins():
    result = generative_adversarial_metric(FIRST, SECOND, images([0.8, 0.8]))
    assert result == {"r_test": 1.0, "r_sample": 0.5, "winner": "first"}


def test_the_order_of_the_players_does_not_matter():
    result = generative_adversarial_metric(SECOND, FIRST, images([0.8, 0.8]))
    assert result == {"r_test": 1.0, "r_sample": 2.0, "winner": "second"}


def test_a_discriminator_that_fails_on_test_data_ties():
    result = generative_adversarial_metric(FIRST, SECOND, images([0.4, 0.8]))
    assert result == {"r_test": pytest.approx(3.0), "r_sample": 0.5, "winner": "tie"}


def test_zero_errors():
    perfect = Player(images([0.0, 0.0]), score(0))
    result = generative_adversarial_metric(perfect, Player(images([0.0, 0.0]), score(1)), images([1.0, 1.0]))
    assert result == {"r_test": 1.0, "r_sample": 1.0, "winner": "tie"}
    result = generative_adversarial_metric(FIRST, Player(images([0.0, 0.0]), score(1)), images([0.8, 1.0]))
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
        (lambda batch: batch, "one score an image. Received: 20 of 10"),
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
