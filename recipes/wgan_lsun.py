"""WGAN on bedrooms of 64x64 pixels with the paper's settings.

Paper      Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875
Published  no scores: the critic's estimate falls as samples get better
Ours       not scored yet
Command    zoo train wgan_lsun --image_size 64
Time       not measured yet; meant for a GPU

The authors' code, https://github.com/martinarjovsky/WassersteinGAN, trains for 25 epochs. With five batches of 64 rows
for each update of the generator, that is 236,175 updates on the 3,023,042 training images that remain here: TensorFlow
Datasets has no test images of bedrooms, so the zoo keeps the last 10,000 as test images.
"""

from zoo import WGAN, recipe


def main(
    run,
    *,
    data="lsun/bedroom",
    steps=236_175,
    batch_size=64,
    checkpoint_every=2000,
):
    dataset = run.data()
    with run.strategy.scope():
        model = WGAN(dataset.data_shape, seed=run.flags.seed)
        model.compile(**run.compile_settings)
    run.fit(model, dataset.train)
    run.export(model, dataset)


if __name__ == "__main__":
    recipe.run(main)
