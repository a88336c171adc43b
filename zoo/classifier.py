"""A small convolutional classifier; scores on `ClassifierFeatures` compare the outputs of its last hidden layer.

Each stage has two 3x3 convolutions with batch normalisation and ReLU. As in VGG (Simonyan & Zisserman 2014,
https://arxiv.org/abs/1409.1556), maxima over 2x2 pixels lie between the stages; a mean over all pixels comes last.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from zoo.artefacts.signatures import CLASSIFY, FEATURES, PROBABILITIES, SERVING_DEFAULT
from zoo.classifying import Classifying
from zoo.errors import InputError, require_positive
from zoo.layers import FusedBatchNormalization
from zoo.training import TrainableModel

layers = keras.layers

STAGES = 3


def classifier_network(data_shape, num_classes, filters, seed=0):
    """Three stages of `filters`, 2 * `filters` and 4 * `filters` channels, with He's initialisation.

    Returns:
        A `keras.Model` from images `(batch, *data_shape)` in [-1, 1] to non-negative features, float32
        `(batch, 4 * filters)`, and logits, float32 `(batch, num_classes)`.
    """
    initializer = keras.initializers.HeNormal(seed=keras.random.SeedGenerator(seed))
    inputs = x = keras.Input(data_shape)
    for stage in range(STAGES):
        if stage:
            x = layers.MaxPooling2D()(x)
        for _ in range(2):
            x = layers.Conv2D(filters << stage, 3, padding="same", use_bias=False, kernel_initializer=initializer)(x)
            x = layers.ReLU()(FusedBatchNormalization(momentum=0.9)(x))
    features = layers.GlobalAveragePooling2D(dtype="float32")(x)
    logits = layers.Dense(num_classes, dtype="float32")(features)
    return keras.Model(inputs, [features, logits], name="classifier")


@keras.saving.register_keras_serializable("zoo")
class Classifier(Classifying, TrainableModel):
    """Classifies images.

    Batch statistics are per replica.

    Args:
        data_shape: `(height, width, channels)`, height and width at least 4.
        num_classes: how many classes there are.
        classifier: your own, from `(batch, *data_shape)` in [-1, 1] to features `(batch, n)` and logits
            `(batch, num_classes)`.
        filters: channels of the first stage.
        shift: each training image is moved by up to this many pixels in either direction.
        flip: whether half of the training images are mirrored.
        **kwargs: `seed` and `name`, as in `TrainableModel`.

    Raises:
        InputError: a setting is out of its range.
    """

    players = ("classifier",)
    labels = "required"

    def __init__(self, data_shape, *, num_classes, classifier=None, filters=32, shift=0, flip=False, **kwargs):
        super().__init__(data_shape, num_classes=num_classes, **kwargs)
        require_positive(filters=filters)
        if len(self.data_shape) != 3 or min(self.data_shape[:2]) < 1 << (STAGES - 1):
            raise InputError(f"Classifier needs images of at least 4x4 pixels. Received: data_shape={data_shape}")
        if not 0 <= shift < min(self.data_shape[:2]):
            raise InputError(f"`shift` must be less than the image, and not negative. Received: shift={shift}")
        self.filters = filters
        self.shift = shift
        self.flip = flip
        self.classifier = classifier or classifier_network(self.data_shape, num_classes, filters, self.seed)

    def paper_optimizer(self, player):
        """Adam with Keras' settings; the recipe uses an optimiser whose rate falls."""
        return keras.optimizers.Adam()

    def train_step(self, batch):
        """One update, which reduces the cross-entropy on slightly moved images."""
        labels = batch["label"]
        with tf.GradientTape() as tape:
            _, logits = self.classifier(self.moved(self.real_data(batch)), training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        correct = tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels
        accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
        return {"classifier_loss": loss, "accuracy": accuracy, **self.minimize("classifier", loss, tape)}

    def moved(self, images):
        """Each image shifted at random, with black at the edges, and mirrored or not."""
        draw = self.draw_uniform(images, [3], "augmentation")
        for axis, size in ((1, self.data_shape[0]), (2, self.data_shape[1])):
            shift = tf.cast(tf.floor(draw[:, axis] * (2 * self.shift + 1)), tf.int32)
            padding = [[self.shift, self.shift] if axis == padded else [0, 0] for padded in range(4)]
            padded = tf.pad(images, padding, constant_values=self.value_range[0])
            images = tf.gather(padded, shift[:, None] + tf.range(size), axis=axis, batch_dims=1)
        if self.flip:
            images = tf.where(draw[:, 0, None, None, None] < 0.5, images, tf.reverse(images, [2]))
        return images

    def classify_signature(self, image):
        """From `image` float32 [n, *data_shape] in [0, 1] to `features` [n, d] and `probabilities` [n, num_classes]."""
        features, logits = self.classifier(self._from_unit(image), training=False)
        return {FEATURES: features, PROBABILITIES: tf.nn.softmax(logits)}

    def signatures(self):
        return dict.fromkeys((SERVING_DEFAULT, CLASSIFY), self.classifying_signature())
