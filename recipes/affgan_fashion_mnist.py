"""AffGAN, or with `--denoiser_guided` AffDG, on Fashion-MNIST: from 7x7 to 28x28 pixels.

Prints the peak signal-to-noise ratio of bicubic enlargements and of the model's, over the held-out images, and draws
super_resolved.png: small images, their bicubic enlargements, the model's, and the originals, which it never saw.

Paper      Sønderby et al. 2017, https://arxiv.org/abs/1610.04490
Published  nothing on these data
Ours       affdg-digits: Fréchet classifier distance 14.186, classifier score 6.34, precision 0.297, recall 0.000,
           density 0.228, coverage 0.073 (1,000 samples, rounded to 8 bits), peak signal-to-noise ratio (dB) 17.05 (180
           rows of digits validation), peak signal-to-noise ratio of bicubic enlargement (dB) 13.56 (180 rows of digits
           validation). affgan-fashion_mnist: Fréchet classifier distance 4.217, classifier score 5.69, precision 0.699,
           recall 0.000, density 0.584, coverage 0.095 (10,000 samples, rounded to 8 bits), peak signal-to-noise ratio
           (dB) 17.19 (1,000 rows of fashion_mnist validation), peak signal-to-noise ratio of bicubic enlargement (dB)
           15.37 (1,000 rows of fashion_mnist validation)
Command    zoo train affgan_fashion_mnist
Time       affdg-digits: 465 s on 1 core of Intel(R) Xeon(R) Processor; affgan-fashion_mnist: 665 s on 1 core of
           Intel(R) Xeon(R) Processor

AffGAN's images are sharper than bicubic enlargements, with speckled edges. Its instance noise falls to 0 over the first
two thirds of the steps. The noise of AffDG's denoiser stays as it is. The denoiser learns ten times as fast as the
generator, and for the first quarter of the steps it learns alone, because a denoiser that has learnt little leads the
outputs ever further away from images. `sample` enlarges images of the validation split, which repeat once all of them
have been drawn: 10,000 samples show each of 1,000 images ten times, so that the nearest neighbours of a sample are
copies of it and the recall is 0.
"""

import keras
import numpy as np
import tensorflow as tf

from zoo import AffDG, AffGAN, images, optimizers, recipe

GENERATOR_RATE, DENOISER_RATE = 1e-4, 1e-3  # of AffDG
BANK = 1000  # validation images that the model keeps
ROWS = 12  # of the picture super_resolved.png


def main(
    run,
    *,
    data="fashion_mnist",
    steps=3000,
    batch_size=64,
    checkpoint_every=500,
    filters=32,
    blocks=4,
    noise_stddev=0.3,
    ema_decay=0.999,
    denoiser_guided=False,
):
    dataset = run.data()
    held_out = dataset.validation.images[:BANK]
    if denoiser_guided:
        method, settings = AffDG, {"denoiser_filters": filters}
        waiting = keras.optimizers.schedules.PiecewiseConstantDecay([run.schedule_steps // 4], [0.0, GENERATOR_RATE])
        rates = {"generator_optimizer": waiting, "denoiser_optimizer": DENOISER_RATE}
        rates = {player: optimizers.adam(rate, beta_1=0.5) for player, rate in rates.items()}
    else:
        noise_steps = -(-2 * run.schedule_steps // 3)
        method, settings, rates = AffGAN, {"discriminator_filters": filters, "noise_steps": noise_steps}, {}
    with run.strategy.scope():
        model = method(
            dataset.data_shape,
            generator_filters=filters,
            generator_blocks=blocks,
            noise_stddev=noise_stddev,
            bank_size=len(held_out),
            ema_decay=ema_decay,
            seed=run.flags.seed,
            **settings,
        )
        model.compile(**rates, **run.compile_settings)
    model.take_reference(held_out)
    run.fit(model, dataset.train)
    small, bicubic, enlarged, originals = model.compare(held_out)
    scores = []
    for name, made in {"": enlarged, " of bicubic enlargement": bicubic}.items():
        ratio = float(np.mean(tf.image.psnr(made, originals, 1.0)))
        scores.append({"score": f"peak signal-to-noise ratio{name} (dB)", "value": ratio, "n_real": len(held_out)})
        scores[-1]["reference"] = f"{dataset.name} validation"
        print(f"peak signal-to-noise ratio{name}: {ratio:.2f} dB")
    run.picture("super_resolved", images.chains([stage[:ROWS] for stage in (small, bicubic, enlarged, originals)]))
    run.export(model, dataset, scores=scores)


if __name__ == "__main__":
    recipe.run(main)
