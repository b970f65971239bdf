"""``harpagon instances``: the shipped instances, one of them in full, and seeded random ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harpagon.cli.console import note, show, show_json
from harpagon.cli.inputs import BillingOption, DispatchOption, InstanceArgument, JsonOption
from harpagon.instances.policies import Billing, Dispatch

if TYPE_CHECKING:
    from harpagon.instances.instance import Instance

_HELP = "List the shipped instances and suites, show one instance, or make random ones."

_LIST_HELP = """List the shipped examples, applications and suites; with --suite, the instances of one suite.

With --suite, every instance stands with its proven optimum, or with its best plan and bound where it is open, and with
the best heuristic. docs/benchmarks.md says how to report a better result.

An application is planned at any rate and SLO by its workload name: traffic-198rps-350ms is the application traffic
at 198 req/s with an SLO of 350 ms; traffic-198rps-350ms-V100+T4 allows two hardware types only.

[bold]Examples[/bold]

  harpagon instances list

  harpagon instances list --suite smoke

  harpagon instances list --suite paper --billing fractional --dispatch tc
"""

_SHOW_HELP = """Show one instance: its hardware, its pipelines with their rates, and the profiles they draw on.

With --json, print it as an instance file, ready to be changed.

[bold]Examples[/bold]

  harpagon instances show worked-example

  harpagon instances show traffic-198rps-350ms --json > mine.json
"""

_MAKE_HELP = """Make random instances from a seed: the same seed gives the same instances.

Without --out, one instance is printed as an instance file. With --out, every instance is written into that folder
under its name.

[bold]Examples[/bold]

  harpagon instances make --seed 7 --shape diamond

  harpagon instances make --seed 7 --application traffic --count 20 --out mine
"""


_INIT_HELP = """Write a commented instance file to start from.

[bold]Examples[/bold]

  harpagon instances init mine.yaml

  harpagon plan mine.yaml
"""

_SCHEMA_HELP = """Print the JSON Schema of instance files, for editors that complete and check YAML and JSON.

[bold]Examples[/bold]

  harpagon instances schema > harpagon.schema.json
"""


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    group = typer.Typer(help=_HELP, no_args_is_help=True)
    group.command("list", help=_LIST_HELP)(list_instances)
    group.command("show", help=_SHOW_HELP)(show_instance)
    group.command("make", help=_MAKE_HELP)(make)
    group.command("init", help=_INIT_HELP)(init)
    group.command("schema", help=_SCHEMA_HELP)(schema)
    app.add_typer(group, name="instances")


def list_instances(
    suite: Annotated[
        str | None, typer.Option(metavar="SUITE", help="List the instances of this suite.", show_default=False)
    ] = None,
    billing: BillingOption = None,
    dispatch: DispatchOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run ``harpagon instances list``."""
    from rich.text import Text

    if suite is not None:
        _list_suite(suite, billing or Billing.WHOLE, dispatch or Dispatch.FREE, as_json=as_json)
        return
    catalogue = _catalogue()
    if as_json:
        show_json(catalogue)
        return
    for kind, names in catalogue.items():
        show(Text(kind, "bold"), *(f"  {name}" for name in names))
    show("An application is planned by a workload name such as traffic-198rps-350ms.")


def _list_suite(name: str, billing: Billing, dispatch: Dispatch, *, as_json: bool) -> None:
    from harpagon.cli.views.benchmarks import benchmark_table
    from harpagon.instances.errors import InputError
    from harpagon.instances.library.benchmarks import benchmark_path, benchmark_record, read_benchmarks
    from harpagon.instances.library.suites import benchmark_cases

    known = benchmark_cases(name)
    if (billing, dispatch) not in known:
        cases = "; ".join(f"--billing {one} --dispatch {policy}" for one, policy in known)
        raise InputError(name, "", f"has no records of {billing} billing under {dispatch} dispatch", f"Use {cases}")
    records = [one for one in read_benchmarks(benchmark_path(name)) if one.case[1:] == (billing, dispatch)]
    if as_json:
        show_json([benchmark_record(one) for one in records])
    else:
        show(benchmark_table(records, billing, dispatch))


def _catalogue() -> dict[str, list[str]]:
    from harpagon.instances.library.applications import application_names
    from harpagon.instances.library.shipped import example_names
    from harpagon.instances.library.suites import suite_names

    return {
        "examples": list(example_names()),
        "applications": list(application_names()),
        "suites": list(suite_names()),
    }


def show_instance(instance: InstanceArgument, as_json: JsonOption = False) -> None:
    """Run ``harpagon instances show``."""
    from harpagon.instances.files.instances import instance_document
    from harpagon.instances.library.shipped import resolve

    found = resolve(instance)
    if as_json:
        show_json(instance_document(found))
    else:
        from harpagon.cli.views.instance import instance_view

        show(*instance_view(found))


def make(
    seed: Annotated[int, typer.Option(help="Any integer.")] = 0,
    application: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Draw rate, SLO and hardware of this application.", show_default=False),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Draw a small pipeline of this shape: chain, fork, diamond, skip, ..."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many; more than one needs --out.")] = 1,
    billing: BillingOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the instances into this folder.", show_default=False)
    ] = None,
) -> None:
    """Run ``harpagon instances make``."""
    from harpagon.instances.files.instances import instance_document
    from harpagon.instances.library.make import make_instances

    if count > 1 and out is None:
        raise typer.BadParameter("more than one instance needs a folder: add --out DIR", param_hint="--count")
    made = make_instances(seed, application=application, shape=shape, count=count, billing=billing or Billing.WHOLE)
    if out is None:
        show_json(instance_document(made[0]))
    else:
        _write(made, out)


def _write(made: tuple[Instance, ...], folder: Path) -> None:
    from harpagon.instances.files.instances import write_instance
    from harpagon.instances.files.writing import make_folder

    make_folder(folder)
    for instance in made:
        write_instance(folder / f"{instance.name}.json", instance)
    note(f"{len(made)} written into {folder}")


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new YAML file.")] = Path("instance.yaml"),
) -> None:
    """Run ``harpagon instances init``."""
    from harpagon.instances.files.template import write_template

    write_template(file)
    note(f"{file} written; `harpagon plan {file}` plans it")


def schema() -> None:
    """Run ``harpagon instances schema``."""
    from harpagon.instances.files.template import instance_schema

    show_json(instance_schema())
