"""Classifier of the digits of scikit-learn: the features that models of these data are scored on.

Ours       test accuracy 100.00 % (180 of 180)
Command    zoo train classifier_digits
Time       119 s on 2 cores of an AMD EPYC that had other work too
"""

import keras

from zoo import recipe
from zoo.classifier import Classifier

RATE = 0.1
SHIFT = 1  # pixels that a training image may move


def main(run):
    data = run.data()
    with run.strategy.scope():
        model = Classifier(data.data_shape, num_classes=data.num_classes, shift=SHIFT, seed=run.flags.seed)
        rate = keras.optimizers.schedules.CosineDecay(RATE, run.flags.steps)
        model.compile(keras.optimizers.SGD(rate, 0.9, nesterov=True, weight_decay=5e-4), **run.compile_settings)
    run.fit(model, data.train)
    run.export(model, data, scores=[model.test_score(data)])


if __name__ == "__main__":
    recipe.run(main, data="digits", steps=1000, batch_size=128, checkpoint_every=12)
