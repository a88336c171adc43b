"""What a sample costs, compared with the bare generator on given latents, with Keras' own layers and with the zoo's.

    python benchmarks/sampling.py [--model DCGAN] [--rounds 20]

It is measured for 1, 64 and 1,024 rows. `sample` draws the latents from one seed per row; `score` runs the
discriminator.
"""

import common
import numpy as np
import tensorflow as tf

ROWS = (1, 64, 1024)


def main():
    command = common.parser(__doc__, rounds=20, model="DCGAN")
    arguments = command.parse_args()
    model = common.build(arguments.model)
    with common.keras_operators():
        plain = common.build(arguments.model)
    bare, plain_bare = (
        tf.function(lambda latents, labels, one=one: one.generate(latents, labels), autograph=False)
        for one in (model, plain)
    )
    score = tf.function(lambda images, labels: model.score(images, labels), autograph=False)
    rows = []
    for count in ROWS:
        seeds, labels = np.arange(count), tf.zeros([count], tf.int32)
        latents, images = model.latents_of(tf.constant(seeds)), tf.zeros([count, *common.SHAPE])
        variants = {
            "plain generator": lambda latents=latents, labels=labels: plain_bare(latents, labels).numpy(),
            "bare generator": lambda latents=latents, labels=labels: bare(latents, labels).numpy(),
            "sample": lambda seeds=seeds: model.sample(seeds),
            "score": lambda images=images, labels=labels: score(images, labels).numpy(),
        }
        for call in variants.values():
            call()
        times = common.interleaved(variants, arguments.rounds)
        rows += [{"rows": count, **row} for row in common.compared(times, "plain generator")]
    common.report("sampling", arguments, rows)


if __name__ == "__main__":
    main()
