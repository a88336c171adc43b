"""Scores of generative models: NumPy arrays in, plain floats out.

A score has meaning only together with what it was measured on: whenever you report one, name the features, the
reference split and both numbers of samples, and compare only scores with equal numbers.
"""

from zoo.metrics.adversarial import TOLERANCE, Player, best_before_panel, generative_adversarial_metric, panel_errors
from zoo.metrics.diversity import ms_ssim_diversity
from zoo.metrics.frechet import FeatureStatistics, frechet_distance
from zoo.metrics.inception import inception_score
from zoo.metrics.interpolation import interpolate
from zoo.metrics.kernel import kernel_distance
from zoo.metrics.modes import mode_coverage, stacked_modes
from zoo.metrics.neighbours import nearest_neighbours, precision_recall, squared_radii, two_sample_accuracy
from zoo.metrics.parzen import parzen_log_likelihood
from zoo.metrics.transport import earth_movers_distance, jensen_shannon_divergence

__all__ = [
    "TOLERANCE",
    "FeatureStatistics",
    "Player",
    "best_before_panel",
    "earth_movers_distance",
    "frechet_distance",
    "generative_adversarial_metric",
    "inception_score",
    "interpolate",
    "jensen_shannon_divergence",
    "kernel_distance",
    "mode_coverage",
    "ms_ssim_diversity",
    "nearest_neighbours",
    "panel_errors",
    "parzen_log_likelihood",
    "precision_recall",
    "squared_radii",
    "stacked_modes",
    "two_sample_accuracy",
]
