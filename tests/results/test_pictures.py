"""README's strips, one for each model of images, and the gallery's walks, one where there is one latent vector."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import zoo
from zoo import results
from zoo.results import pictures

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_strips_and_walks_are_drawn_of_models_of_images(tmp_path):
    walked = ["dcgan-digits", "lsgan-fashion_mnist"]  # LAPGAN has many latents
    for name in (*walked, "lapgan-fashion_mnist", "unrolled_gan-ring", "classifier-digits"):
        shutil.copytree(ROOT / "pretrained" / name, tmp_path / "pretrained" / name)
    (tmp_path / "docs").mkdir()
    drawn = [path.relative_to(tmp_path) for path in results.draw(tmp_path)]
    walks = [pictures.WALKS / f"{name}.png" for name in walked]
    assert drawn == [*walks, pictures.STRIPS]
    with Image.open(tmp_path / walks[0]) as picture:
        assert picture.size == (8 * 66 + 2, 3 * 66 + 2)
    with Image.open(tmp_path / pictures.STRIPS) as picture:
        assert picture.size == (1200, 75)


def test_pictures_of_every_model_are_there():
    walks = {path.stem for path in (ROOT / pictures.WALKS).iterdir()}
    images = {name: card for name, card in zoo.pretrained().items() if len(card["data_shape"]) == 3}
    assert (ROOT / pictures.STRIPS).is_file()
    assert walks == {name for name, card in images.items() if isinstance(card.get("prior"), dict)}
