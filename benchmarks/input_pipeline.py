"""How fast the input pipeline makes batches, compared with repeating a single batch that is kept.

python benchmarks/input_pipeline.py [--data digits] [--rounds 5] [--batches 50]
"""

import common

from zoo import data


def main():
    arguments = common.parser(__doc__, rounds=5, batches=50, data="digits").parse_args()
    split = data.load(arguments.data).train
    stream = iter(split.stream(common.BATCH_SIZE))
    kept = iter(split.stream(common.BATCH_SIZE).take(1).cache().repeat())
    variants = {"stream": lambda: next(stream)["image"].numpy(), "one batch, kept": lambda: next(kept)["image"].numpy()}
    for call in variants.values():
        call()
    times = common.interleaved(variants, arguments.rounds, arguments.batches)
    rows = common.compared(times, "one batch, kept")
    for row in rows:
        row["images_per_second"] = 1e3 * common.BATCH_SIZE / row["median_ms"]
    common.report("input_pipeline", arguments, rows)


if __name__ == "__main__":
    main()
