"""Preprocessing: media becomes exactly the tensor that is declared, and another declaration is another model."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from labelloop.errors import InputError
from labelloop.preprocessing import image_tensor, prepare, preprocessing_version
from labelloop.spec.model import Model
from labelloop.spec.preprocessing import Preprocessing


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


COLOURS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
SAME_SIZE = {"width": 4, "height": 2, "fit": "stretch"}


def test_channels_come_first_or_last_as_declared():
    first = image_tensor(png(COLOURS), Preprocessing(**SAME_SIZE, dtype="uint8"))
    last = image_tensor(png(COLOURS), Preprocessing(**SAME_SIZE, dtype="uint8", layout="NHWC"))
    assert first.shape == (3, 2, 4)
    assert np.array_equal(last, COLOURS)
    assert np.array_equal(first.transpose(1, 2, 0), last)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_each_channel_is_normalised_by_its_own_mean_and_std(layout):
    mean, std = (0.1, 0.2, 0.3), (0.5, 1.0, 2.0)
    found = image_tensor(png(COLOURS), Preprocessing(**SAME_SIZE, mean=mean, std=std, layout=layout))
    expected = (COLOURS / 255 - np.array(mean)) / np.array(std)
    assert found == pytest.approx(expected if layout == "NHWC" else expected.transpose(2, 0, 1), abs=1e-6)
    assert found.dtype == np.float32


def test_half_precision_is_what_the_model_gets_when_declared():
    assert image_tensor(png(COLOURS), Preprocessing(**SAME_SIZE, dtype="float16")).dtype == np.float16


def test_grey_has_one_channel():
    assert image_tensor(png(COLOURS), Preprocessing(**SAME_SIZE, mode="L")).shape == (1, 2, 4)


def test_a_crop_keeps_the_middle_and_a_stretch_keeps_everything():
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, 10:20] = 255
    sizes = {"width": 10, "height": 10, "resample": "box"}
    assert (image_tensor(png(wide), Preprocessing(**sizes, fit="crop")) == 1).all()
    assert image_tensor(png(wide), Preprocessing(**sizes, fit="stretch")).mean() == pytest.approx(1 / 3, abs=0.05)


def test_a_text_is_handed_over_as_it_is_without_its_byte_order_mark():
    assert prepare("text", "\ufeffStraße\n".encode(), Preprocessing()) == "Straße\n"


@pytest.mark.parametrize(("kind", "data", "reason"), [("image", b"", "empty"), ("text", b"\xff\xfe\x00", "UTF-8")])
def test_bytes_of_no_use_get_a_reason(kind, data, reason):
    with pytest.raises(InputError, match=reason):
        prepare(kind, data, Preprocessing())


def test_a_model_that_reads_otherwise_is_another_model_but_not_for_the_size_of_its_batches():
    usual = preprocessing_version("image", Preprocessing())
    assert preprocessing_version("image", Preprocessing(batch=7)) == usual
    assert preprocessing_version("image", Preprocessing(mean=(0.5, 0.5, 0.5))) != usual
    assert preprocessing_version("text", Preprocessing(softmax=True)) != preprocessing_version(
        "text", Preprocessing()
    )


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"mean": (0.5,)}, "mean has 1 numbers, but mode 'RGB' has 3"),
        ({"std": (0.5, 0.5)}, "std has 2 numbers"),
        ({"dtype": "uint8", "mean": (0.5, 0.5, 0.5)}, "dtype is 'uint8', which has no mean"),
        ({"std": (1.0, 0.0, 1.0)}, "std is .*; give numbers above 0"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared, reason):
    with pytest.raises(ValidationError, match=reason):
        Preprocessing(**declared)


def test_only_onnx_models_read_media():
    with pytest.raises(ValidationError, match="preprocessing is for source 'onnx', not 'trainer'"):
        Model(source="trainer", preprocessing=Preprocessing())
