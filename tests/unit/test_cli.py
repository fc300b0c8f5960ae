"""The command line: what the verbs write and print, their exit codes, and a named error for whatever is handed in."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deployments.cli.tables import read_ratings_file
from deployments.cli.templates import template_names
from labelloop.spec import load_spec
from tests.builders.digits import SPEC
from tests.builders.pools import a_pool

pytestmark = pytest.mark.slow

VERBS = [
    ("up",),
    ("down",),
    ("status",),
    ("run",),
    ("agreement",),
    ("consensus",),
    ("sample",),
    ("init",),
    ("spec", "check"),
    ("spec", "schema"),
    ("doctor",),
    ("forecast",),
    ("dataset", "diff"),
]
RATINGS = "unit,annotator,value\n" + "".join(
    f"{unit},{who},{value}\n"
    for who, values in (("ann", "xxyyxyxy"), ("bob", "xxyyxyxx"), ("cy", "xxyyxyyy"))
    for unit, value in enumerate(values)
)
FIGURE = {"metric", "level", "value", "low", "high", "n_units", "n_annotators", "n_ratings"}


@pytest.fixture
def ratings(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(RATINGS)
    return path


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.parquet"
    certainty = [0.99, 0.5, 0.8, 0.6]
    pq.write_table(
        pa.table({"ref_id": [*"abcd"], "probabilities": [[p, 1 - p] for p in certainty], "stratum": [*"uuvv"]}), path
    )
    return path


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself(labelloop, verb):
    code, out, _ = labelloop(*verb, "--help")
    assert (code, f"Usage: labelloop {' '.join(verb)}" in out) == (0, True)


def test_help_imports_nothing_that_takes_time():
    slow = {"prefect", "pandas", "numpy", "pyarrow", "boto3", "httpx", "requests", "label_studio_sdk"}
    script = (
        "import sys; from deployments.cli.main import app; app('--help', exit_on_error=False, result_action=None); "
        f"sys.exit(','.join({slow} & set(sys.modules)))"
    )
    ending = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ending.returncode, ending.stderr) == (0, "")
    assert "agreement" in ending.stdout


def test_agreement_prints_one_figure_for_each_metric_in_the_order_asked_for(labelloop, ratings):
    code, out, _ = labelloop("agreement", ratings, "--metric", "gwet_ac1", "--metric", "fleiss_kappa", "--json")
    figures = json.loads(out)
    assert code == 0
    assert [figure["metric"] for figure in figures] == ["gwet_ac1", "fleiss_kappa"]
    assert all(set(figure) == FIGURE for figure in figures)
    assert figures[0]["low"] < figures[0]["value"] < figures[0]["high"]
    assert (figures[0]["n_units"], figures[0]["n_annotators"], figures[0]["n_ratings"]) == (8, 3, 24)


def test_a_figure_that_cannot_be_given_has_its_reason_and_the_others_stand(labelloop, ratings):
    code, out, _ = labelloop(
        "agreement", ratings, "--metric", "cohen_kappa", "--metric", "percent_agreement", "--json"
    )
    assert code == 0
    assert set(json.loads(out)[0]) == {"metric", "level", "reason"}
    _, shown, _ = labelloop("agreement", ratings, "--metric", "cohen_kappa", "--metric", "percent_agreement")
    assert "cohen_kappa: " in shown
    assert "percent_agreement  0.833" in shown


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("1,ann,x\n2,bob,x\n", "no unit was rated by two annotators"),
        ("1,ann,x\n2,ann,y\n", "only one annotator"),
        ("1,ann,\n2,bob,\n", "there are no ratings"),
    ],
    ids=["no overlap", "one annotator", "nothing answered"],
)
def test_the_exit_code_is_1_when_no_figure_can_be_given(labelloop, ratings, rows, reason):
    ratings.write_text("unit,annotator,value\n" + rows)
    code, out, _ = labelloop("agreement", ratings, "--json")
    assert code == 1
    assert {figure["reason"] for figure in json.loads(out)} == {reason}
    assert labelloop("agreement", ratings)[0] == 1


def test_the_same_seed_prints_the_same_interval_and_another_seed_another(labelloop, ratings):
    outputs = [labelloop("agreement", ratings, "--json", "--seed", seed)[1] for seed in (1, 1, 2)]
    assert outputs[0] == outputs[1] != outputs[2]


def test_text_has_an_order_once_its_categories_are_named(labelloop, ratings):
    words = ("agreement", ratings, "--level", "ordinal", "--metric", "krippendorff_alpha", "--json")
    assert labelloop(*words)[0] == 2
    code, out, _ = labelloop(*words, "--category", "x", "--category", "y")
    assert (code, json.loads(out)[0]["level"]) == (0, "ordinal")


def test_ratings_of_several_controls_are_never_mixed(labelloop, ratings):
    header, *rows = RATINGS.splitlines()
    lines = [f"{header},control", *(f"{row},digit" for row in rows), *(f"{row[:-1]}z,sure" for row in rows)]
    ratings.write_text("\n".join(lines))
    code, _, err = labelloop("agreement", ratings)
    assert (code, "choose by --control: digit, sure" in err) == (2, True)
    _, out, _ = labelloop("agreement", ratings, "--control", "sure", "--metric", "percent_agreement", "--json")
    assert json.loads(out)[0]["value"] == 1.0
    assert labelloop("agreement", ratings, "--control", "colour")[0] == 2


def test_csv_names_stay_text_and_only_an_empty_field_is_missing(ratings):
    ratings.write_text("unit,annotator,value,more\n007,1,NA,\n007,2,,\n")
    assert read_ratings_file(ratings).to_pydict() == {
        "unit": ["007", "007"],
        "annotator": ["1", "2"],
        "value": ["NA", None],
    }


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_parquet_of_any_writer_gives_the_same_figures(labelloop, ratings, tmp_path, kind):
    table = read_ratings_file(ratings)
    encoded = {name: pa.array(table[name].to_pylist(), pa.string()).cast(kind) for name in table.column_names}
    pq.write_table(pa.table(encoded), tmp_path / "ratings.parquet")
    outputs = [labelloop("agreement", path, "--json")[1] for path in (ratings, tmp_path / "ratings.parquet")]
    assert outputs[0] == outputs[1]


def test_consensus_writes_a_label_with_its_probabilities_for_each_unit(labelloop, ratings, tmp_path):
    code, out, _ = labelloop("consensus", ratings, "--method", "majority", "--out", tmp_path / "labels.parquet")
    labels = pq.read_table(tmp_path / "labels.parquet")
    assert (code, "8 labels for 8 units" in out) == (0, True)
    assert labels.column_names == ["unit", "label", "confidence", "n", "probabilities"]
    assert labels.slice(6, 1).to_pylist()[0] == {
        "unit": "6",
        "label": "x",
        "confidence": pytest.approx(2 / 3),
        "n": 3,
        "probabilities": pytest.approx([2 / 3, 1 / 3]),
    }
    assert json.loads(labels.schema.metadata[b"classes"]) == ["x", "y"]


def test_sample_writes_the_most_uncertain_first_and_no_probability_for_greedy_picks(labelloop, pool, tmp_path):
    code, out, _ = labelloop("sample", pool, "-n", 2, "--strategy", "margin", "--out", tmp_path / "chosen.parquet")
    chosen = pq.read_table(tmp_path / "chosen.parquet")
    assert (code, "2 of 4 references" in out) == (0, True)
    assert chosen.column_names == ["ref_id", "rank", "acquisition_score", "inclusion_probability", "reason"]
    assert (chosen["ref_id"].to_pylist(), chosen["rank"].to_pylist()) == (["b", "d"], [0, 1])
    assert chosen["inclusion_probability"].null_count == 2


def test_sample_tells_how_many_rows_it_left_out_and_why(labelloop, pool, tmp_path):
    pq.write_table(pa.table({"ref_id": [*"ab"], "probabilities": [[0.5, 0.5], [0.9, 0.9]]}), pool)
    code, out, _ = labelloop("sample", pool, "-n", 2, "--strategy", "entropy", "--out", tmp_path / "chosen.parquet")
    assert code == 0
    assert "1 rows left out: probabilities" in out


def test_sample_keeps_limits_and_tells_composition_and_reasons(labelloop, tmp_path):
    columns = {
        "ref_id": [*"abcdef"],
        "probabilities": [[0.5 + 0.05 * i, 0.5 - 0.05 * i] for i in range(6)],
        "stratum": [*"xxxyyy"],
        "digest": [*"ppqrst"],
        "group": [*"uvvwww"],
    }
    pq.write_table(pa.table(columns), tmp_path / "pool.parquet")
    pq.write_table(pa.table({"ref_id": ["f"], "digest": ["r"]}), tmp_path / "done.parquet")
    words = ("sample", "pool.parquet", "-n", 4, "--strategy", "margin", "--out", "chosen.parquet")
    code, out, _ = labelloop(*words, "--distinct", "--per-subject", 1, "--labelled", "done.parquet")
    assert code == 0
    assert pq.read_table(tmp_path / "chosen.parquet")["ref_id"].to_pylist() == ["a", "c", "e"]
    assert "the first: margin 1.0000" in out
    assert "by stratum: x 2, y 1" in out
    assert "2 rows left out: near_duplicate" in out


def test_sample_takes_whatever_a_model_says(labelloop, tmp_path):
    pool = a_pool(20).drop_columns(["probabilities"])
    pq.write_table(pool, tmp_path / "pool.parquet")
    for words in (["bald"], ["box_max"], ["hybrid", "--score", "bald"], ["stochastic", "--score", "label_entropy"]):
        code, out, err = labelloop("sample", "pool.parquet", "-n", 3, "--out", "chosen.parquet", "--strategy", *words)
        assert (code, "3 of 20 references" in out) == (0, True), err


def test_a_random_sample_is_the_same_file_for_the_same_seed(labelloop, pool, tmp_path):
    def drawn(seed):
        labelloop("sample", pool, "-n", 2, "--strategy", "random", "--seed", seed, "--out", "chosen.parquet")
        return (tmp_path / "chosen.parquet").read_bytes()

    assert drawn(3) == drawn(3)
    assert len({drawn(seed) for seed in range(8)}) > 1


@pytest.mark.parametrize(
    ("template", "name"),
    [(each, "sports-cars") for each in template_names()] + [("triage", "no"), ("triage", "a" * 40)],
)
def test_a_new_spec_is_right_from_the_start(labelloop, tmp_path, template, name):
    code, _, _ = labelloop("init", name, "--template", template, "--out", "new.yaml")
    spec = load_spec((tmp_path / "new.yaml").read_text())
    assert (code, spec.name) == (0, name)
    assert labelloop("spec", "check", "new.yaml")[0] == 0


def test_init_writes_into_the_folder_of_specs_and_overwrites_nothing(labelloop, tmp_path, monkeypatch):
    monkeypatch.setenv("LABELLOOP_PROJECTS_DIR", str(tmp_path))
    words = ("init", "cars", "--template", "image-classification")
    assert labelloop(*words)[0] == 0
    (tmp_path / "cars.yaml").write_text("mine")
    code, _, err = labelloop(*words)
    assert (code, "is there already" in err) == (2, True)
    assert (tmp_path / "cars.yaml").read_text() == "mine"


def test_spec_check_names_every_problem(labelloop, tmp_path):
    (tmp_path / "cars.yaml").write_text("name: Cars\ntitle: Cars\nbudget: 3\nannotators: {count: 0}\n")
    code, _, err = labelloop("spec", "check", "cars.yaml")
    assert code == 2
    for field in ("name: ", "budget: ", "annotators.count: ", "media: ", "interface: ", "guidelines: "):
        assert f"\n  {field}" in err


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("- a list", "spec"),
        (SPEC.replace("Which digit is it?", "Is it worth $ten?"), "interface"),
    ],
)
def test_a_problem_without_a_field_is_of_the_part_that_it_concerns(labelloop, tmp_path, text, field):
    (tmp_path / "cars.yaml").write_text(text)
    code, told, _ = labelloop("spec", "check", "cars.yaml", "--json")
    assert (code, [problem["field"] for problem in json.loads(told)]) == (2, [field])


def test_the_schema_of_a_spec_is_json_with_its_fields(labelloop):
    code, out, _ = labelloop("spec", "schema")
    assert code == 0
    assert json.loads(out)["$schema"].endswith("2020-12/schema")
    assert {"media", "interface", "guidelines", "annotators"} <= set(json.loads(out)["required"])


def write_bad_files(folder):
    """Files that are wrong each in a way of its own; the values in them must not be told."""
    texts = {
        "empty.csv": "",
        "header.csv": "unit,annotator,value\n",
        "columns.csv": "unit,annotator\nsecret-1,ann\n",
        "semicolons.csv": "unit;annotator;value\nsecret-1;ann;x\n",
        "ragged.csv": "unit,annotator,value\nsecret-1,ann,x\nsecret-2,ann\n",
        "twice.csv": "unit,unit,annotator,value\nsecret-1,secret-2,ann,x\n",
        "repeated.csv": "unit,annotator,value\nsecret-1,ann,x\nsecret-1,ann,y\n",
        "nameless.csv": "unit,annotator,value\n,ann,x\nsecret-1,bob,x\n",
        "infinite.csv": "unit,annotator,value\nsecret-1,ann,inf\nsecret-1,bob,1.5\n",
        "quote.csv": 'unit,annotator,value\nsecret-1,ann,"x\nsecret-1,bob,x\n',
        "line.csv": "unit,annotator,value",
        "words.csv": "unit,annotator,value\nsecret-1,ann,1\nsecret-1,bob,secret\n",
        "no.parquet": "unit,annotator,value\nsecret-1,ann,x\n",
        "cut.parquet": "PAR1secret",
        "tabs.yaml": "name:\n\t- x\n",
        "list.yaml": "- name\n",
        "date.yaml": "title: 2024-13-45\n",
        "deep.yaml": "[" * 1000,
        "odd.yaml": "title: secr\0et\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    (folder / "latin.csv").write_bytes("unit,annotator,value\nsecret-1,ann,grün\n".encode("latin-1"))
    (folder / "latin.yaml").write_bytes("title: grün".encode("latin-1"))
    nested = pa.table({"unit": [["secret-1"]], "annotator": ["ann"], "value": ["x"]})
    values = pa.table({"unit": ["secret-1"], "annotator": ["ann"], "value": [["x"]]})
    pools = {
        "nested": nested,
        "values": values,
        "no_id": pa.table({"probabilities": [[0.5, 0.5]]}),
        "twice_id": pa.table({"ref_id": ["secret-1", "secret-1"]}),
        "null_id": pa.table({"ref_id": ["secret-1", None]}),
        "float_id": pa.table({"ref_id": [1.5]}),
        "plain": pa.table({"ref_id": ["secret-1"]}),
        "text": pa.table({"ref_id": ["secret-1"], "probabilities": ["0.5 0.5"]}),
        "words": pa.table({"ref_id": ["secret-1"], "probabilities": [["half", "half"]]}),
        "none": pa.table({"ref_id": pa.array([], pa.string())}),
        "struct": pa.table({"ref_id": ["secret-1"], "stratum": [{"a": 1}]}),
        "wrong": pa.table({"ref_id": ["secret-1"], "probabilities": [[0.9, 0.9]]}),
    }
    for name, table in pools.items():
        pq.write_table(table, folder / f"{name}.parquet")


MAJORITY = ("--method", "majority", "--out", "out.parquet")
MARGIN = ("-n", "1", "--strategy", "margin", "--out", "out.parquet")
BAD_INPUT = [
    ("agreement no-such-file.csv", "cannot be read (no such file or directory)"),
    ("agreement .", "cannot be read (is a directory)"),
    ("agreement empty.csv", "is empty"),
    ("agreement header.csv", "has no rows"),
    ("agreement columns.csv", "lacks the column value"),
    ("agreement semicolons.csv", "separated by commas"),
    ("agreement ragged.csv", "line 3: another number of fields"),
    ("agreement twice.csv", "has the column unit twice"),
    ("agreement repeated.csv", "1 ratings repeat one"),
    ("agreement nameless.csv", "has no unit or no annotator"),
    ("agreement infinite.csv", "is infinite"),
    ("agreement words.csv --level interval", "have no order for level interval"),
    ("agreement no.parquet", "is no Parquet file"),
    ("agreement cut.parquet", "is damaged Parquet"),
    ("agreement picture.csv", "is neither Parquet nor UTF-8 CSV"),
    ("agreement quote.csv", "a field goes over several lines"),
    ("agreement line.csv", "has no rows"),
    ("agreement latin.csv", "is neither Parquet nor UTF-8 CSV"),
    ("agreement nested.parquet", "column unit holds list"),
    ("agreement values.parquet", "column value holds list"),
    ("agreement words.csv --metric kappa", "metric 'kappa' cannot be used"),
    ("agreement words.csv --level rank", "level 'rank' is unknown"),
    ("agreement words.csv --control digit", "no column control"),
    ("agreement words.csv --n-min 0", "n_min is 0"),
    ("agreement words.csv --seed x", "Invalid value"),
    ("agreement words.csv --seed -1", "the seed is -1"),
    ("agreement", "requires an argument"),
    ("consensus words.csv --method vote --out out.parquet", "method 'vote' is unknown"),
    ("consensus words.csv --method majority --out out.csv", "does not end in .parquet"),
    ("consensus words.csv --method majority --out none/out.parquet", "cannot be written (no such file"),
    ("consensus words.csv --method majority", "requires an argument"),
    ("sample empty.csv", "is empty"),
    ("sample words.csv", "is no Parquet file"),
    ("sample no_id.parquet", "lacks the column ref_id"),
    ("sample twice_id.parquet", "1 rows of the pool repeat a ref_id"),
    ("sample null_id.parquet", "have no ref_id"),
    ("sample float_id.parquet", "column ref_id holds double"),
    ("sample plain.parquet", "needs probabilities"),
    ("sample text.parquet", "column probabilities holds string"),
    ("sample words.parquet", "column probabilities holds list<"),
    ("sample none.parquet", "has no rows"),
    ("sample struct.parquet", "column stratum holds struct"),
    ("sample wrong.parquet", "no row of the pool can be used"),
    ("sample plain.parquet -n -1 --strategy random --out out.parquet", "number to select is -1"),
    ("sample plain.parquet -n 1 --strategy best --out out.parquet", "no strategy 'best'"),
    ("sample plain.parquet -n 1 --strategy random --out out.parquet --hours 3", "a limit of the batch needs cost"),
    ("sample plain.parquet -n 1 --strategy random --out out.parquet --per-source 0", "greater than or equal to 1"),
    ("sample plain.parquet -n 1 --strategy stochastic --score luck --out out.parquet", "no acquisition score 'luck'"),
    ("sample plain.parquet -n 1 --strategy k_center --out out.parquet", "k_center needs embedding"),
    ("sample plain.parquet -n many --strategy random --out out.parquet", "Invalid value"),
    ("init Cars --template image-classification", "'Cars' is no project name"),
    ("adopt ../zoo --ls-project 1", "'../zoo' is no project name"),
    ("init cars --template video", "there is no template 'video'"),
    ("init cars --template image-classification --out none/cars.yaml", "cannot be written"),
    ("spec check no-such-file.yaml", "cannot be read"),
    ("spec check tabs.yaml", "is not YAML at line 2"),
    ("spec check list.yaml", "is empty or no mapping"),
    ("spec check date.yaml", "is not YAML"),
    ("spec check deep.yaml", "is not YAML"),
    ("spec check odd.yaml", "is not YAML"),
    ("spec check latin.yaml", "is no UTF-8 text"),
    ("run no-such-flow", "there is no flow 'no-such-flow'"),
    ("run sync -p project", "not of the form key=value"),
    ("run sync -p a=1 -p a.b=2", "parameter 'a.b' is given twice"),
    ("run sync -p color=red", "missing a required argument: 'project'; give -p project=..."),
    ("run sync -p project=cars -p color=red", "unexpected keyword argument 'color'"),
    ("run sync -p project=A", "refuses a parameter: project: String should match pattern"),
    ("run weekly-batch -p project=cars -p options.batch_size=-1", "options.batch_size: Input should be greater"),
    ("fly", "Unknown command"),
    ("status --nonsense", "Unknown option"),
]


@pytest.mark.parametrize(("line", "message"), BAD_INPUT, ids=[line for line, _ in BAD_INPUT])
def test_bad_input_gets_a_named_error_and_leaves_nothing_behind(labelloop, tmp_path, line, message):
    write_bad_files(tmp_path)
    before = sorted(tmp_path.iterdir())
    words = line.split()
    code, out, err = labelloop(*words, *(MARGIN if words[0] == "sample" and len(words) == 2 else ()))
    told = " ".join((out + err).replace("│", " ").split())
    assert (code, message in told) == (2, True), told
    assert "secret" not in told
    assert "Traceback" not in told
    assert sorted(tmp_path.iterdir()) == before


def test_the_doctor_lists_the_variables_that_are_missing(labelloop, monkeypatch):
    monkeypatch.setenv("LABELLOOP_LAKE_URI", "file:///hush")
    code, out, _ = labelloop("doctor", "cars")
    assert code == 1
    assert "LABELLOOP_LAKE_URI: " in out
    assert "LABELLOOP_VAULT_URI: Field required" in out
    assert "hush" not in out
