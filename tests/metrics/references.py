"""Writes references.json: the values of other implementations for fixed data, with which test_references.py compares.

python -m venv references && references/bin/pip install torch torch-fidelity prdc scipy
references/bin/python tests/metrics/references.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_suffix(".json")
PACKAGES = ("torch-fidelity", "prdc", "scipy")

# Settings of both sides.
SPLITS = 4
SUBSETS, SUBSET_SIZE, SEED = 7, 50, 3
NEIGHBOURS = 3
SIGMA = 0.3


def data():
    """Fixed inputs: correlated features of two distributions, logits of a classifier, and points for a density."""
    draws = np.random.RandomState(0)
    mixing = draws.standard_normal((16, 16)) / 4
    points = draws.uniform(size=(420, 4))
    # gaussian_kde takes its width in units of the samples' covariance: here the identity.
    points = points @ np.linalg.cholesky(np.linalg.inv(np.cov(points[:300], rowvar=False)))
    return {
        "real": draws.standard_normal((240, 16)) @ mixing,
        "fake": 0.2 + 0.9 * draws.standard_normal((200, 16)) @ mixing,
        "logits": 3 * draws.standard_normal((202, 10)),
        "samples": points[:300],
        "test": points[300:],
    }


def main():
    import prdc
    import torch
    from scipy.stats import gaussian_kde
    from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

    arrays = data()
    real, fake, logits = (torch.from_numpy(arrays[name]) for name in ("real", "fake", "logits"))
    frechet = metric_fid.fid_statistics_to_metric(
        metric_fid.fid_features_to_statistics(real), metric_fid.fid_features_to_statistics(fake), verbose=False
    )
    kernel = metric_kid.kid_features_to_metric(
        real, fake, kid_subsets=SUBSETS, kid_subset_size=SUBSET_SIZE, rng_seed=SEED, verbose=False
    )
    precision_recall = metric_prc.prc_features_to_metric(fake, real, prc_neighborhood=NEIGHBOURS, verbose=False)
    density = gaussian_kde(arrays["samples"].T, bw_method=SIGMA)
    references = {
        "versions": {package: version(package) for package in PACKAGES},
        "inception_score": list(metric_isc.isc_features_to_metric(logits, SPLITS, shuffle=False).values()),
        "frechet_distance": frechet["frechet_inception_distance"],
        "kernel_distance": list(kernel.values()),
        "precision_recall": {name: precision_recall[name] for name in ("precision", "recall")},
        "prdc": prdc.compute_prdc(arrays["real"], arrays["fake"], NEIGHBOURS),
        "log_likelihood": density.logpdf(arrays["test"].T).mean(),
    }
    FILE.write_text(json.dumps(references, indent=2, default=float) + "\n")


if __name__ == "__main__":
    main()
