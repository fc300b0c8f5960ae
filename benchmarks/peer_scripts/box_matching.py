"""`box_matching.py SCENES.npz`: seconds pycocotools needs to compare and to match boxes, and its matches, as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from typing import Any

import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def main() -> None:
    """Compare all boxes of each image, then match them at an overlap of one half, class by class of one class."""
    given = np.load(sys.argv[1])
    one, other = (np.split(given[name], given[f"{name}_ends"][:-1]) for name in ("one", "other"))
    start = time.process_time()
    for first, second in zip(one, other, strict=True):
        mask.iou(first, second, [0] * len(second))
    compared = time.process_time() - start
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_coco(one, len(one)), _coco(other, len(one)), "bbox")
        settings = {"iouThrs": np.array([0.5]), "areaRng": [[0, 1e10]], "areaRngLbl": ["all"], "maxDets": [1000]}
        for name, value in settings.items():
            setattr(evaluation.params, name, value)
        start = time.process_time()
        evaluation.evaluate()
        matched = time.process_time() - start
    n = sum(int((image["dtMatches"] > 0).sum()) for image in evaluation.evalImgs if image is not None)
    sys.stdout.write(json.dumps({"compare": compared, "match": matched, "matches": n}) + "\n")


def _coco(boxes: list[Any], n_images: int) -> COCO:
    rows = [(image, box.tolist()) for image, part in enumerate(boxes) for box in part]
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in range(n_images)],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": number, "image_id": image, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            | {"score": 1.0}
            for number, (image, box) in enumerate(rows, 1)
        ],
    }
    coco.createIndex()
    return coco


if __name__ == "__main__":
    main()
