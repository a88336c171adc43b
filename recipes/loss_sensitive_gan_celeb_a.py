"""LS-GAN on CelebA with the settings of the author's code, for 25 epochs.

TensorFlow Datasets has to download CelebA first.

Paper      Qi 2017, https://arxiv.org/abs/1701.06264
Published  only samples; the code is at https://github.com/guojunq/lsgan
Ours       not scored yet
Command    zoo train loss_sensitive_gan_celeb_a --image_size 64
Time       not measured yet

The settings are those of `lsgan.lua` at commit 6c148fc, the newest. The code's `data/crop_celebA.lua` scales the whole
frame of 178x218 pixels to 64x64, which makes faces wider; here the centred square is cropped first. The code takes all
202,599 images; the recipe takes the 162,770 that CelebA designates for training. See zoo/models/loss_sensitive_gan.py
for the networks.
"""

from zoo import LossSensitiveGAN, recipe


def main(
    run,
    *,
    data="celeb_a",
    steps=63_575,
    batch_size=64,
    checkpoint_every=2543,
):
    dataset = run.data()
    with run.strategy.scope():
        model = LossSensitiveGAN(dataset.data_shape, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
