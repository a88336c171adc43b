"""BiGAN on MNIST with the paper's networks and settings: nearest neighbours among the encoder's features.

Paper      Donahue et al. 2016, https://arxiv.org/abs/1605.09782
Published  97.39 % of the test images are classified correctly by the training image with the nearest features, those of
           the encoder's last hidden layer (Euclidean distance). The authors' code trains on 50,000 images and compares
           with these; this recipe does both with 54,000
Ours       Fréchet classifier distance 0.965, classifier score 8.74, precision 0.837, recall 0.631, density 0.838,
           coverage 0.792 (10,000 samples, rounded to 8 bits), 1-NN accuracy on the encoder's features 96.77 % (10,000
           rows of mnist test)
Command    zoo train bigan_mnist --precision=mixed_bfloat16 --steps_per_execution=20 --checkpoint_every=4220
Time       5,943 s on 1 core of AMD EPYC
"""

import keras
import numpy as np

from zoo import BiGAN, images, metrics, optimizers, recipe
from zoo.models.bigan import FEATURES, HeldThenDecayed

EPOCHS = 400  # the rate falls over the second half
BATCHES = 422  # per epoch
PICTURED = 16  # test images


def nearest_neighbour_score(model, data):
    """The accuracy of the label of the training image with the nearest features, as a card records it."""
    encoder = model.inferrer
    network = keras.Model(encoder.input, encoder.get_layer(FEATURES).output)

    def features(split):
        rows = [network(batch["image"]).numpy() for batch in split.batches(500)]
        return np.concatenate(rows).astype(np.float32)

    _, nearest = metrics.nearest_neighbours(features(data.test), features(data.train))
    return {
        "score": "1-NN accuracy on the encoder's features",
        "value": float(np.mean(data.train.labels[nearest[:, 0]] == data.test.labels)),
        "reference": f"{data.name} test",
        "n_real": len(data.test),
    }


def main(
    run,
    *,
    data="mnist",
    steps=EPOCHS * BATCHES,
    batch_size=128,
    checkpoint_every=BATCHES,
    learning_rate=2e-4,
    momentum=0.5,
):
    dataset = run.data()
    with run.strategy.scope():
        model = BiGAN(dataset.data_shape, seed=run.flags.seed)
        rate = HeldThenDecayed(learning_rate, run.schedule_steps)
        chosen = {f"{player}_optimizer": optimizers.adam(rate, beta_1=momentum) for player in model.players}
        model.compile(**chosen, **run.compile_settings)
    run.fit(model, dataset.train)
    real = dataset.test.images[:PICTURED] / 255
    pairs = np.concatenate([real, model.reconstruct(real)])
    run.picture("reconstructions", images.grid(pairs, columns=PICTURED))
    score = nearest_neighbour_score(model, dataset)
    print(f"1-NN accuracy of the encoder's features: {score['value']:.2%} (published: 97.39%)")
    run.export(model, dataset, scores=[score])


if __name__ == "__main__":
    recipe.run(main)
