import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from zoo.data import pictures
from zoo.errors import InputError

SIDEWAYS = 6  # the orientation of a camera held upright: what is shown right was stored above
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{SIDEWAYS}"/></x:xmpmeta>'
STORED = Image.fromarray(np.repeat(np.array([[0, 255], [0, 255]], np.uint8), 8, axis=1))  # 16 wide, 2 high


def exif():
    """New each time: to save a file may change it."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = SIDEWAYS
    return tags.tobytes()


def png_with_late_exif():
    """A PNG whose eXIf chunk stands after the pixels."""
    buffer = io.BytesIO()
    STORED.save(buffer, "PNG")
    contents = exif().removeprefix(b"Exif\x00\x00")
    chunk = struct.pack(">I", len(contents)) + b"eXIf" + contents + struct.pack(">I", zlib.crc32(b"eXIf" + contents))
    whole, end = buffer.getvalue()[:-12], buffer.getvalue()[-12:]
    return whole + chunk + end


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".jpg", {"exif": exif()}),
        (".jpg", {"xmp": XMP.encode()}),
        (".png", {"exif": exif()}),
        (".webp", {"exif": exif(), "lossless": True}),
        (".webp", {"xmp": XMP.encode(), "lossless": True}),
        (".tif", {"exif": exif()}),
        (".avif", {"exif": exif()}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_header_and_pixels_are_upright_alike(tmp_path, suffix, options):
    file = tmp_path / f"photo{suffix}"
    STORED.save(file, **options)
    check_upright(file)


def test_an_orientation_behind_the_pixels_counts(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(png_with_late_exif())
    check_upright(file)


def check_upright(file):
    assert pictures.header(file, upright=True).size == (2, 16)
    upright = pictures.pixels(file, channels=1, bits=8)[..., 0]
    assert upright.shape == (16, 2)
    np.testing.assert_allclose(upright.astype(int), np.repeat([[0], [255]], 8, axis=0) * [1, 1], atol=8)


@pytest.mark.parametrize(
    ("mode", "is_grey"),
    [("1", True), ("L", True), ("LA", True), ("P", True), ("I;16", True), ("RGB", False), ("RGBA", False)],
)
def test_files_without_colour_are_grey(tmp_path, mode, is_grey):
    Image.new("L", (6, 4), 7).convert(mode).save(tmp_path / "a.png")
    assert pictures.header(tmp_path / "a.png", upright=False).is_grey == is_grey


def test_a_palette_with_a_colour_is_not_grey(tmp_path):
    image = Image.new("P", (6, 4))
    image.putpalette([0, 0, 0, 9, 9, 8])
    image.save(tmp_path / "a.png")
    assert not pictures.header(tmp_path / "a.png", upright=False).is_grey


def test_only_16_bit_files_have_a_largest_value(tmp_path):
    Image.fromarray(np.array([[3, 4000]], np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.array([[3, 200]], np.uint8)).save(tmp_path / "flat.png")
    assert pictures.header(tmp_path / "deep.png", upright=False).largest == 4000
    assert pictures.header(tmp_path / "flat.png", upright=False).largest == 0


@pytest.mark.parametrize(
    ("largest", "bits"), [(0, 8), (255, 8), (256, 10), (1023, 10), (4095, 12), (4096, 14), (16384, 16), (65535, 16)]
)
def test_depth_is_the_least_that_holds_the_largest_value(largest, bits):
    assert pictures.depth(largest) == bits


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_values_without_a_known_range_are_refused(tmp_path, dtype):
    Image.fromarray(np.array([[0, 70_000]], dtype)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match="its values are not those of 8 or 16 bits"):
        pictures.header(tmp_path / "a.tif", upright=False)


def photograph(size=(1600, 1200)):
    """Smooth colours, as far as a JPEG keeps them."""
    x, y = np.meshgrid(np.linspace(0, 3, size[0]), np.linspace(0, 2, size[1]))
    waves = [np.sin(3 * x + y), np.cos(2 * y - x), np.sin(x * y)]
    return Image.fromarray(((np.stack(waves, axis=-1) + 1) * 127.5).astype(np.uint8))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_large_photograph_shrinks_on_the_way_to_what_its_whole_gives(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    photograph().save(file)
    whole = pictures.centre_square(np.asarray(photograph()), 32).numpy()
    small = pictures.pixels(file, channels=3, bits=8, square=32)
    assert small.shape == (32, 32, 3)
    assert np.abs(small.astype(int) - whole).max() <= 3


def test_a_jpeg_is_not_decoded_whole_for_a_small_square(tmp_path, monkeypatch):
    photograph().save(tmp_path / "a.jpg")
    sizes = []
    transpose = pictures.ImageOps.exif_transpose
    monkeypatch.setattr(pictures.ImageOps, "exif_transpose", lambda image: sizes.append(image.size) or transpose(image))
    pictures.pixels(tmp_path / "a.jpg", channels=3, bits=8, square=32)
    assert sizes == [(200, 150)]
