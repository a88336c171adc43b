"""Why the Wasserstein distance: two parallel lines (Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, Example 1).

The data are (0, z) and the samples (theta, z), with z uniform in [0, 1]. If the lines do not coincide, the
Jensen-Shannon divergence, which the original GAN minimises, is log 2, and its gradient with respect to theta is 0; the
Wasserstein distance is |theta|, and its gradient shows the way to the data. The script prints both for some values of
theta, and draws them to parallel_lines.png.
"""

import numpy as np

from zoo import images, metrics

POINTS = 500
HALF_WIDTH = 1e-3  # of the finite differences
HEIGHTS = (np.arange(POINTS) + 0.5) / POINTS
DISTANCES = {
    "Wasserstein": metrics.earth_movers_distance,
    "Jensen-Shannon": metrics.jensen_shannon_divergence,
}


def line(theta):
    return np.stack([np.full(POINTS, theta), HEIGHTS], axis=1)


def slope(distance, theta):
    above, below = (distance(line(0.0), line(theta + change)) for change in (HALF_WIDTH, -HALF_WIDTH))
    return (above - below) / (2 * HALF_WIDTH)


def main():
    places = np.linspace(-1, 1, 41)
    curves = {}
    for name, distance in DISTANCES.items():
        curves[name] = [distance(line(0.0), line(theta)) for theta in places]
        curves[f"{name}, gradient"] = [slope(distance, theta) for theta in places]
    print("theta  " + "  ".join(curves))
    for index in range(0, len(places), 10):
        row = (f"{values[index]:{len(name)}.3f}" for name, values in curves.items())
        print(f"{places[index]:5.2f}  " + "  ".join(row))
    images.write_png("parallel_lines.png", images.lines(places, curves, "theta"))


if __name__ == "__main__":
    main()
