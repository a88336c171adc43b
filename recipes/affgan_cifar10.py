"""AffGAN on CIFAR-10: from 8x8 to 32x32 pixels.

Prints the peak signal-to-noise ratio of bicubic enlargements and of AffGAN's, over the held-out images, and draws
super_resolved.png: small images, their bicubic enlargements, AffGAN's, and the originals, which it never saw.

Paper      Sønderby et al. 2017, https://arxiv.org/abs/1610.04490
Published  nothing on these data
Ours       not scored yet
Command    zoo train affgan_cifar10
Time       not measured yet; meant for a GPU

The instance noise falls to 0 over the first two thirds of the steps. The model is trained on 45,000 images; `sample`
enlarges some of the other 5,000, which are the validation split. The images of the paper, which are faces, grass and
ImageNet at 128x128, are larger.
"""

import numpy as np
import tensorflow as tf

from zoo import AffGAN, images, recipe

BANK = 1000  # validation images that the model keeps
ROWS = 12  # of the picture super_resolved.png


def main(
    run,
    *,
    data="cifar10",
    steps=60_000,
    batch_size=64,
    checkpoint_every=1000,
    ema_decay=0.999,
):
    dataset = run.data()
    held_out = dataset.validation.images[:BANK]
    with run.strategy.scope():
        model = AffGAN(
            dataset.data_shape,
            noise_steps=-(-2 * run.schedule_steps // 3),
            bank_size=len(held_out),
            ema_decay=ema_decay,
            seed=run.flags.seed,
        )
        model.compile(**run.compile_settings)
    model.take_reference(held_out)
    run.fit(model, dataset.train)
    small, bicubic, enlarged, originals = model.compare(held_out)
    for method, made in {"bicubic": bicubic, "AffGAN": enlarged}.items():
        print(f"{method:<8} PSNR {np.mean(tf.image.psnr(made, originals, 1.0)):.2f} dB")
    run.picture("super_resolved", images.chains([stage[:ROWS] for stage in (small, bicubic, enlarged, originals)]))
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
