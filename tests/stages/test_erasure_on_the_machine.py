"""An erasure reaches what Label Studio leaves on its machine, where it is told where that lies."""

from __future__ import annotations

import json

from tasks.clients.receipts import receipts
from tasks.erasure.carry_out import carry_out_requests
from tests.builders.erasure_requests import ask, erasable_world
from tests.builders.label_studio_files import asked_for, ids_in, make_database
from tests.builders.labelled_project import key_of, labelled_project


def test_hidden_rows_files_and_lines_of_the_log_go_and_the_receipt_counts_them(tmp_path):
    world = erasable_world(tmp_path)
    labelled_project(world, 5)
    gone, stays = (f"s3://media/{key_of(number)}" for number in (3, 4))
    tasks = [(1, json.dumps({"image": gone}), None), (2, json.dumps({"image": stays}), None)]
    database, log, export = make_database(tmp_path, tasks), tmp_path / "server.log", tmp_path / "export" / "all.json"
    log.write_text(asked_for(gone) + asked_for(stays))
    export.parent.mkdir()
    export.write_text(json.dumps([{"data": {"image": gone}}]))
    world.settings = world.settings.model_copy(update={"label_studio_data_dir": tmp_path, "label_studio_log": log})
    ask(world, subjects=["subject-03"])
    freed = []
    world.orphans.free_space = lambda: freed.append(ids_in(database, "task"))
    carry_out_requests(world)
    assert freed == [[2]]
    assert ids_in(database, "task") == [2]
    assert ids_in(database, "draft") == [22]
    assert log.read_text().splitlines(keepends=True)[1] == asked_for(stays)
    assert not export.exists()
    payload = json.loads(receipts(world.lake)[-1].payload)
    for place in ("label_studio_orphans", "label_studio_files", "label_studio_log"):
        assert (payload["sinks"][place]["found"], payload["sinks"][place]["remaining"]) == (1, 0), place
        assert place not in payload["told"]
