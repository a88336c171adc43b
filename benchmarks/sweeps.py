"""How step time grows with the batch, with N of GAP and with K of unrolled GANs: a table, a fitted line, a picture.

    python benchmarks/sweeps.py [--rounds 3] [--steps 3]

`r2` is the share of the variance that the line explains: 1 if the step time grows linearly.
"""

import common
import numpy as np
import step_time

import zoo
from zoo import images

# For each: the model, the setting that varies, its values, and the other settings of the constructor.
SWEEPS = {
    "DCGAN, batch": ("DCGAN", "batch", (16, 32, 64, 128), {"filters": 16}),
    "GAP, members N": ("GAP", "members", (2, 4, 6, 8), {"filters": 8}),
    "unrolled GAN, steps K": ("UnrolledGAN", "unrolled_steps", (0, 2, 4, 8), {"filters": 16}),
}


def main():
    arguments = common.parser(__doc__, rounds=3, steps=3).parse_args()
    rows, curves = [], {}
    for title, (name, varied, values, settings) in SWEEPS.items():
        steps = {}
        for value in values:
            own = {} if varied == "batch" else {varied: value}
            model = getattr(zoo, name)(common.SHAPE, **settings, **own)
            model.compile()
            size = value if varied == "batch" else 24
            step = step_time.zoo_loop(model, common.batches(size * model.minibatch_count))
            steps[value] = lambda step=step: float(step()["generator_loss"])
            steps[value]()
        times = common.interleaved(steps, arguments.rounds, arguments.steps)
        least = np.array([min(seconds) for seconds in times.values()])
        slope, start = np.polyfit(values, least, 1)
        explained = 1 - np.var(least - (start + slope * np.array(values))) / np.var(least)
        for value, seconds in zip(values, least, strict=True):
            row = {"sweep": title, "value": value, "least_ms": 1e3 * float(seconds)}
            rows.append({**row, "ms_for_one_more": 1e3 * float(slope), "r2": float(explained)})
        curves[title] = least / least[-1]
    common.report("sweeps", arguments, rows)
    shares = [1 / 4, 1 / 2, 3 / 4, 1]
    images.write_png(
        arguments.out / "sweeps.png", images.lines(shares, curves, "place among the values; time over the last")
    )


if __name__ == "__main__":
    main()
