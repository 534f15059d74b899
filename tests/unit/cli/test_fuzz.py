"""`toyvmm fuzz`: campaigns as a user runs them, with faults that are added from outside."""

import json
import os
import signal
import subprocess

import pytest

from tests.unit.cli.command import ROOT, argv, environment, heed_ctrl_c, toyvmm
from toyisa.files import lock

SHORT = ("--minutes", "0.03")

# Python runs `sitecustomize` first, in every process of a campaign.
FAULT = """
import asm.disasm
right = asm.disasm.disassemble
def wrong(word, *arguments, **options):
    text = right(word, *arguments, **options)
    return text.replace("sub", "add") if text.startswith("sub") else text
asm.disasm.disassemble = wrong
"""
DEATH = """
import asm.disasm, os
right = asm.disasm.disassemble
def wrong(word, *arguments, **options):
    return os._exit(9) if word & 0x7F == 0x37 else right(word, *arguments, **options)
asm.disasm.disassemble = wrong
"""
NO_HYPOTHESIS = "import sys; sys.modules['hypothesis'] = None"


def with_fault(folder, text):
    """The environment in which that code runs before everything else."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(text)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def fuzz(corpus, *arguments, **env):
    return toyvmm("fuzz", "--law", "roundtrip", "--corpus", corpus, *arguments, **env)


def regressions(corpus):
    return sorted(corpus.glob("roundtrip-*.json"))


def campaign(corpus):
    value = json.loads((corpus / "statistics.json").read_text())
    assert value["schema"] == "toyvmm.fuzz-statistics/1"
    return value["campaigns"]["roundtrip native seed 0"]


def test_a_clean_campaign_and_one_that_goes_on(tmp_path):
    done = fuzz(tmp_path, *SHORT, "--jobs", "2", "--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert first["schema"] == "toyvmm.fuzz/1"
    assert first["failures"] == []
    assert first["executions"] == first["total"]["executions"] > 0
    assert b"/s, seen: " in done.stderr
    before = campaign(tmp_path)
    done = fuzz(tmp_path, *SHORT, "--json")
    second = json.loads(done.stdout)
    assert second["total"]["executions"] == second["executions"] + first["executions"]
    after = campaign(tmp_path)
    assert after["done"] > before["done"]  # behind the chunk that time has cut
    assert after["executions"] == second["total"]["executions"]
    assert [p.name for p in tmp_path.iterdir()] == ["statistics.json"]


def test_a_fault_is_found_shrunk_written_and_replayed(tmp_path):
    corpus, env = tmp_path / "corpus", with_fault(tmp_path / "fault", FAULT)
    for _campaign in range(8):  # on a busy host one may have no time to shrink all
        done = fuzz(corpus, "--minutes", "0.15", **env)
        assert done.returncode == 1, done.stderr
        found = {path: json.loads(path.read_text()) for path in regressions(corpus)}
        path, value = min(found.items(), key=lambda item: len(item[1]["listing"][0]))
        if len(value["listing"][0].split()) == 1:
            break
    assert value["schema"] == "toyvmm.fuzz-regression/1"
    assert (value["law"], value["engine"]) == ("roundtrip", "native")
    assert len(value["listing"][0].split()) == 1  # one word is left
    assert path.name in campaign(corpus)["failures"]
    assert path.name.encode() in done.stdout
    again = fuzz(corpus, *SHORT, "--json", **env)
    assert again.returncode == 1
    still = {row["file"] for row in json.loads(again.stdout)["failures"]}
    assert still >= set(map(str, found))
    mended = fuzz(corpus, *SHORT)
    assert mended.returncode == 0, mended.stdout
    assert campaign(corpus)["failures"] == []
    assert toyvmm("fuzz", "--replay", path, **env).returncode == 1
    now = toyvmm("fuzz", "--replay", path)
    assert (now.returncode, now.stdout.splitlines()[-1]) == (0, b"holds now")


def test_a_case_that_ends_its_process_is_a_failure(tmp_path):
    corpus = tmp_path / "corpus"
    done = fuzz(corpus, "--minutes", "0.2", **with_fault(tmp_path / "fault", DEATH))
    assert done.returncode == 1, done.stderr
    value = json.loads(regressions(corpus)[0].read_text())
    assert value["actual"] == "it ended with code 9"
    assert campaign(corpus)["done"] > 1  # by a process that took its place


def test_one_corpus_for_two_campaigns(tmp_path):
    """At once, if they are not the same."""
    with lock.held(tmp_path / ".running-roundtrip-native-0", waits=None):
        done = fuzz(tmp_path, *SHORT)
        assert done.returncode == 2
        assert b"another process runs roundtrip native seed 0" in done.stderr
        assert fuzz(tmp_path, *SHORT, "--seed", "1").returncode == 0


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("statistics.json", '{"schema": "toyvmm.fuzz-statistics/1", "campaigns": {'
         '"roundtrip native seed 0": {"done": 0, "ahead": [], "seen": {}, "executions": "a",'
         '"seconds": 1, "failures": []}}}', "statistics.json: is damaged"),
        ("roundtrip-native-0.json", "{}", "it has no 'schema'"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    done = fuzz(tmp_path, *SHORT)
    assert done.returncode == 2
    assert reason in done.stderr.decode()


def test_a_case_that_cannot_be_run_fails(tmp_path):
    """Nobody can say whether the law or the file is wrong."""
    whole = sorted((ROOT / "tests" / "laws" / "corpus").glob("equivalence-bt-*.json"))[0]
    path = tmp_path / whole.name
    path.write_text(json.dumps(json.loads(whole.read_text()) | {"settings": {}}))
    done = toyvmm("fuzz", "--replay", path)
    assert done.returncode == 1
    assert b"KeyError" in done.stdout


@pytest.mark.compiled
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_ctrl_c_keeps_what_was_done(tmp_path, number):
    command = argv("fuzz", "--law", "roundtrip", "--corpus", tmp_path, "--minutes", "5")
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c,
                          start_new_session=True) as process:  # fmt: skip
        for line in process.stderr:
            if b"executions" in line and b" 0 executions" not in line:
                break
        os.killpg(process.pid, number)  # as a terminal, and `timeout`, do
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"interrupted" in out
    done = campaign(tmp_path)
    assert done["executions"] > 0
    assert fuzz(tmp_path, *SHORT).returncode == 0
    assert campaign(tmp_path)["executions"] > done["executions"]
    assert [path.name for path in tmp_path.iterdir()] == ["statistics.json"]


def test_usage(tmp_path):
    def refused(*arguments, **env):
        done = toyvmm("fuzz", *arguments, **env)
        assert done.returncode == 2
        return done.stderr.decode()

    corpus = ("--corpus", tmp_path)
    assert "did you mean `equivalence`?" in refused("--law", "equivalance", *corpus)
    assert "give --law and --corpus" in refused("--law", "roundtrip")
    text = refused("--law", "roundtrip", "--minutes", "x", *corpus)
    assert "not a time in minutes" in text
    assert "not a time in minutes" in refused("--law", "roundtrip", "--minutes", "inf", *corpus)
    text = refused("--law", "equivalence", "--engine", "native", *corpus)
    assert "has no use for native; there are trap" in text
    assert "did you mean `trap`?" in refused("--law", "equivalence", "--engine", "trp", *corpus)
    assert "another program" in refused("--law", "equivalence", "--engine", "pv", *corpus)
    text = refused("--law", "slices", "--engine", "pv", *corpus)
    assert "kernels built for it" in text
    assert "no such file" in refused("--replay", tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{}")
    assert "is no regression" in refused("--replay", tmp_path / "bad.json")
    (tmp_path / "statistics.json").write_text("[]")
    assert "is damaged" in refused("--law", "roundtrip", *SHORT, *corpus)
    env = with_fault(tmp_path / "fault", NO_HYPOTHESIS)
    assert "pip install toyvmm[test]" in refused("--law", "roundtrip", *corpus, **env)


def test_the_list():
    lines = toyvmm("fuzz", "--list").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == [
        "semantics", "slices", "looks", "roundtrip", "equivalence", "containment", "determinism",
        "company", "conservation", "snapshots", "edges",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_campaign_over_guests(tmp_path):
    done = toyvmm("fuzz", "--law", "equivalence", "--engine", "trap", "--minutes", "0.2",
                  "--corpus", tmp_path, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["seen"]["traps_to_root"]) > 10
    assert "csr" not in found["never"]["exits"]


def test_the_laws_as_json():
    text, laws = (toyvmm("fuzz", "--list", *more).stdout.decode() for more in ((), ("--json",)))
    found = json.loads(laws)
    assert found["schema"] == "toyvmm.fuzz-laws/1"
    assert [f"{law['name']:<13} {law['summary']}" for law in found["laws"]] == text.splitlines()
    engines = {law["name"]: law["engines"] for law in found["laws"]}
    assert engines["roundtrip"] == ["native"]
    assert "bt" in engines["equivalence"]


def test_a_replay_says_what_it_ignores():
    case = next((ROOT / "tests" / "laws" / "corpus").glob("roundtrip-*.json"))
    for given, told in (
        ((), ""), (("--law", "roundtrip", "--minutes", "3"), "ignores --law, --minutes\n"),
        (("--json", "--engine", "bt", "--seed", "4"), "ignores --engine, --seed, --json\n"),
    ):
        done = toyvmm("fuzz", "--replay", case, *given)
        assert done.returncode == 0
        assert done.stderr.decode().endswith(told) if told else not done.stderr


# The unit is `trap`'s own: nothing is compiled for it.
OWN_ENGINE = """
from dataclasses import replace
from vmm import engines
engines.register(replace(engines.find("trap"), name="own"))
"""


@pytest.mark.compiled
def test_an_engine_of_ones_own(tmp_path):
    engine = tmp_path / "mine.py"
    engine.write_text(OWN_ENGINE)
    corpus = tmp_path / "corpus"
    done = toyvmm("fuzz", "--law", "determinism", "--engine", engine, "--corpus", corpus, *SHORT,
                  "--jobs", "2", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["engine"] == "own"
    assert result["executions"] > 0
    for wrong, why in (("nowhere.py", "nowhere.py"), (__file__, "registers no engine")):
        done = toyvmm("fuzz", "--law", "determinism", "--engine", wrong, "--corpus", corpus)
        assert done.returncode == 2
        assert why in done.stderr.decode()
