"""Answers for reading a scenario file: its syntax, its keys, and whether they fit together.

Everything in the file is from other people.  Must not import the compiler, so that a bad file
is refused at once; nor know a host (`build.py`).
"""

import tomllib
from pathlib import Path
from typing import Any

import guests
from toyisa.core.ram import MAX_MEM, MIN_MEM
from toyisa.files import reading
from vmm import engines, sched
from vmm.scenario import values
from vmm.scenario.plan import Do, DomainPlan, EventPlan, HostPlan, Scenario, Share
from vmm.scenario.tables import ScenarioError, Table, array

MAX_FILE = 256 << 10   # bytes of a scenario
MAX_INPUT = 256 << 10   # bytes of console input of one domain
MAX_DOMAINS = 256
MAX_EVENTS = 4096
MAX_HARTS = 8
MAX_WEIGHT = 65_536
MAX_QUANTUM = 10**9

_HOST = ("harts", "mem", "scheduler", "options", "cost", "quantum", "until")
_SHARE = ("weight", "cap", "pins")
_INPUTS = ("input", "input_file", "demo")
_DOMAIN = ("name", "kernel", "engine", "mem", *_SHARE, "start", *_INPUTS, "clock", "count",
           "options")  # fmt: skip
_EVENT = ("at", "domain", "do", *_SHARE)


def read(path: Path) -> Scenario:
    """The scenario in a file; ScenarioError, Unreadable."""
    return checked(path, _toml(path))


def checked(path: Path, content: Any) -> Scenario:
    """The scenario that the tables of a file describe; ScenarioError."""
    top = Table(str(path), content, ("summary", "host", "domain", "event"))
    host = _host(Table(f"{path}: [host]", top.content.get("host", {}), _HOST), path.parent)
    domains: list[DomainPlan] = []
    files: list[Path] = []
    found = array(str(path), top.content.get("domain", []), "domain", MAX_DOMAINS)
    for n, content in enumerate(found, 1):
        domains += _domains(_table(path, "domain", n, content, _DOMAIN), host, path.parent, files)
        if len(domains) > MAX_DOMAINS:
            raise ScenarioError(f"{path}: there are more than {MAX_DOMAINS} domains")
    if not domains:
        raise ScenarioError(f"{path}: there is no [[domain]]; give at least one")
    _refuse_equal(domains)
    events = array(str(path), top.content.get("event", []), "event", MAX_EVENTS)
    return Scenario(
        path, top.get("summary", values.line, ""), host, tuple(domains),
        tuple(_event(_table(path, "event", n, content, _EVENT), host, domains)
              for n, content in enumerate(events, 1)),
        tuple(files),
    )  # fmt: skip


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(reading.read(path, MAX_FILE).decode("utf-8"))
    except RecursionError:
        raise ScenarioError(f"{path}: is nested too deeply") from None
    except ValueError as error:  # an error of TOML, of UTF-8, or a number with thousands of digits
        raise ScenarioError(f"{path}: is not TOML ({error}); see docs/howto/host.md") from None


def _table(path: Path, kind: str, number: int, content: Any, known: tuple[str, ...]) -> Table:
    """A table of an array, which errors name by its number and the name in it."""
    place = f"{path}: [[{kind}]] {number}"
    name = content.get("name") if isinstance(content, dict) else None
    if isinstance(name, str):
        place += f" ({values.shown(name)})"
    return Table(place, content, known)


def _host(table: Table, folder: Path) -> HostPlan:
    cost = table.get("cost", values.path, "modern")
    if ".toml" in cost:
        cost = str(folder / cost)
    return HostPlan(
        harts=table.get("harts", values.whole(1, MAX_HARTS), 1),
        mem=table.get("mem", values.size(MIN_MEM, MAX_MEM), 256 << 20),
        scheduler=table.get("scheduler", values.choice(sched.names()), "rr"),
        options=table.get("options", values.options, {}),
        cost=cost,
        quantum=table.get("quantum", values.whole(1, MAX_QUANTUM), 20_000),
        until=table.get("until", values.duration, 10**9),
    )


def _share(table: Table, harts: int, default: Share) -> Share:
    return Share(
        table.get("weight", values.whole(1, MAX_WEIGHT), default.weight),
        table.get("cap", values.whole(0, 100 * harts), default.cap),
        table.get("pins", values.numbers(harts - 1), default.pins),
    )


def _domains(table: Table, host: HostPlan, folder: Path, files: list[Path]) -> list[DomainPlan]:
    """The domains of one table: several, if it has a `count`."""
    group = table.need("name", values.name, 'name = "web"')
    engine = table.get("engine", values.choice(engines.names()), "trap")
    most = engines.facts(engine).max_mem
    if host.mem > most:
        raise table.wrong("engine", f"a host with {engine} has at most {most >> 20} MiB; "
                                    "give [host] less `mem`")  # fmt: skip
    kernel = table.need("kernel", values.path, 'kernel = "toyix"')
    plan = DomainPlan(
        place=table.place, name=group, group=group, kernel=kernel, engine=engine,
        mem=table.get("mem", values.size(MIN_MEM, most), 16 << 20),
        share=_share(table, host.harts, Share(256, 0, ())),
        start=table.get("start", values.start, 0),
        input=_input(table, kernel, folder, files),
        clock=table.get("clock", values.choice(("cycles", "icount")), "cycles"),
        options=table.get("options", values.options, {}),
    )  # fmt: skip
    count = table.get("count", values.whole(1, MAX_DOMAINS), None)
    if count is None:
        return [plan]
    return [DomainPlan(**{**vars(plan), "name": f"{group}-{n}"}) for n in range(count)]


def _input(table: Table, kernel: str, folder: Path, files: list[Path]) -> bytes:
    """What is typed into a domain: at most one key says it."""
    given = [key for key in _INPUTS if key in table]
    if len(given) > 1:
        raise table.wrong(given[1], f"excludes {given[0]!r}; give one of them")
    typed = table.get("input", values.text(MAX_INPUT), "").encode("utf-8", "replace")
    if (name := table.get("input_file", values.path, None)) is not None:
        files.append(folder / name)
        typed = _file(table, "input_file", folder / name)
    if table.get("demo", values.yes_or_no, False):
        guest = guests.catalogue().get(kernel)
        if guest is None or guest.input is None:
            raise table.wrong("demo", "needs a kernel of the catalogue that has a script: toyix")
        typed = guest.input.read_bytes()
    return typed


def _file(table: Table, key: str, path: Path) -> bytes:
    try:
        return reading.read(path, MAX_INPUT)
    except reading.Unreadable as error:
        raise table.wrong(key, str(error)) from None


def _event(table: Table, host: HostPlan, domains: list[DomainPlan]) -> EventPlan:
    do = Do(table.need("do", values.choice(list(Do)), 'do = "pause"'))
    named = table.need("domain", values.path, 'domain = "web"')
    meant = tuple(d.name for d in domains if named in (d.name, d.group))
    if not meant:
        known = dict.fromkeys([*(d.group for d in domains), *(d.name for d in domains)])
        raise table.wrong(
            "domain", f"no domain is called {values.shown(named)}; {values.hint(named, known)}"
        )
    share = _share(table, host.harts, Share())
    given = [key for key in _SHARE if key in table]
    if given and do is not Do.SET:
        raise table.wrong(given[0], f'is for do = "set", not for do = "{do}"')
    if not given and do is Do.SET:
        raise table.wrong("do", 'with "set", give weight, cap or pins')
    at = table.need("at", values.duration, 'at = "20ms"')
    return EventPlan(table.place, at, meant, do, share)


def _refuse_equal(domains: list[DomainPlan]) -> None:
    """ScenarioError if two domains have the same name."""
    seen: set[str] = set()
    for domain in domains:
        if domain.name in seen:
            raise ScenarioError(f"{domain.place}: there is a domain {domain.name!r} already; "
                                "name it differently, or use `count`")  # fmt: skip
        seen.add(domain.name)
