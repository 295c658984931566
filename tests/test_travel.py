"""What a work needs elsewhere: looked for before the run, or sent along; what comes back is written where it belongs."""

import shutil
from dataclasses import replace

import pytest
import remote

from harness.execute.travel import Answer, lacks, make, parcel, unpack
from harness.record import RunRecord, UserError


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with remote.world(tmp_path_factory.mktemp("travel")) as root:
        yield root


@pytest.fixture
def work(world, tmp_path):
    return (remote.job(world, tmp_path / "out"),)


def at(work, **change):
    return (replace(work[0], **change),)


def moved(work, folder, path):
    """The same work where the model lies in another folder, told as it was before."""
    model = replace(work[0].model, path=path)
    sent = parcel(at(work, model=replace(work[0].model, path=folder)))
    return replace(sent, work=at(work, model=model), models={path: next(iter(sent.models.values()))})


def test_a_model_that_is_not_there_or_is_another_is_named_before_the_run(work, world, tmp_path):
    sent = moved(work, world / "model", tmp_path / "model")
    assert f"there has no {tmp_path / 'model'}" in lacks(sent, "there") and "file system that all" in lacks(
        sent, "there"
    )
    shutil.copytree(world / "model", tmp_path / "model")
    assert lacks(sent, "there") == ""
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace("0.0", "0.1", 1))
    assert "does not hold the model model that the sweep was planned with" in lacks(sent, "there")
    ran = []
    answer = make(sent, "there", ran.append, tmp_path)
    assert answer.records == [] and ran == []
    with pytest.raises(UserError, match="does not hold the model"):
        unpack(answer, work)


def test_data_that_is_not_there_is_named(work, tmp_path):
    sent = replace(parcel(work), work=at(work, data_dir=tmp_path / "data"))
    assert f"there has no {tmp_path / 'data'} (--data-dir)" in lacks(sent, "there")


def test_what_a_work_names_must_be_there_when_it_is_sent(work, tmp_path):
    with pytest.raises(UserError, match="gone.py cannot be read"):
        parcel(at(work, method_file=tmp_path / "gone.py"))


def test_a_methods_file_goes_with_the_work_and_keeps_one_place_there(work, world, tmp_path):
    file = tmp_path / "fated.py"
    shutil.copy(world / "fated.py", file)
    sent = parcel(at(work, method_file=file))
    seen = []

    def do(jobs):
        seen.append(jobs[0].method_file)
        assert seen[-1].read_text() == remote.SOURCE
        return [RunRecord(jobs[0].spec, "done")]

    make(sent, "there", do, tmp_path)
    file.write_text("another edition")
    make(sent, "there", do, tmp_path)
    file.unlink()
    make(sent, "there", do, tmp_path)
    assert seen[0] == file and seen[1] == seen[2] != file and seen[1].name == "fated.py"


def test_per_item_files_come_back_with_the_records(work, tmp_path):
    (tmp_path / "there").mkdir()

    def do(jobs):
        assert tmp_path / "there" in jobs[0].items_path.parents
        jobs[0].items_path.write_bytes(b"items")
        jobs[0].items_path.with_name(f"{jobs[0].spec.key}.items.probe.parquet").write_bytes(b"table")
        return [RunRecord(jobs[0].spec, "done")]

    answer = make(parcel(work), "there", do, tmp_path / "there")
    out = work[0].items_path.parent
    assert list(out.iterdir()) == [] and list((tmp_path / "there").iterdir()) == []
    (record,) = unpack(answer, work)
    key = work[0].spec.key
    assert record.status == "done"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        f"{key}.items.parquet": b"items", f"{key}.items.probe.parquet": b"table",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["../{key}.items.x", "{key}.items.a/../../../x", "other.items.x", "/tmp/{key}.items.x"]
)
def test_a_file_of_another_name_is_not_written(work, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    answer = Answer([RunRecord(work[0].spec, "done")], ({name.format(key=work[0].spec.key): b"x"},))
    assert unpack(answer, work)[0].status == "done" and sorted(tmp_path.rglob("*")) == before


def test_items_that_cannot_be_written_make_a_failed_record(work):
    shutil.rmtree(work[0].items_path.parent)
    answer = Answer([RunRecord(work[0].spec, "done")], ({work[0].items_path.name: b"x"},))
    (record,) = unpack(answer, work)
    assert record.status == "failed" and "could not be written" in record.reason


@pytest.mark.parametrize("shared", [True, False])
def test_a_checkpoint_is_kept_only_where_the_sweeps_folder_is(work, tmp_path, shared):
    checkpoint = tmp_path / "results" / "checkpoints" / "ab" / "abcd.safetensors"
    if shared:
        (tmp_path / "results").mkdir()
    seen = []

    def do(jobs):
        seen.append(jobs[0].checkpoint)
        return [RunRecord(jobs[0].spec, "done")]

    (record,) = make(parcel(at(work, checkpoint=checkpoint)), "there", do, tmp_path).records
    assert seen == [checkpoint if shared else None]
    notes = record.provenance.get("checkpoint_notes", [])
    assert notes == [] if shared else f"there has no {tmp_path / 'results'}" in notes[0]
