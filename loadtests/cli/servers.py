"""`sidebyside serve` and `check`: running servers, one of ours or two of anybody's."""

import sys
from typing import Annotated

import typer

from loadtests.cli.frame import CatalogOption, Stopped, app, err, one_line_errors, out
from loadtests.config.selection import CATALOG, Options, select
from loadtests.errors import SuiteError
from shared.shop.seeded import ADMIN, PASSWORD

_WELCOME = f"""\
documentation  {{url}}/docs  {{url}}/redoc
pages          {{url}}/  {{url}}/items  {{url}}/live
log in as      {ADMIN} with the password {PASSWORD}, an admin"""


@app.command()
def check(
    url_a: Annotated[str, typer.Argument(help="URL of one app, such as http://127.0.0.1:8000.")],
    url_b: Annotated[str, typer.Argument(help="URL of the other app.")],
    username: Annotated[str, typer.Option(help="An admin of both apps.")] = ADMIN,
    password: Annotated[str, typer.Option(help="That admin's password.", envvar="CHECK_PASSWORD")] = PASSWORD,
) -> None:
    """Check two running apps against the contract and each other, over HTTP. Exit 1 on any difference."""
    from loadtests.check.differences import Login
    from loadtests.check.differences import check as differences_between

    with one_line_errors():
        differences = differences_between(url_a, url_b, login=Login(username, password))
    for difference in differences:
        out.print(str(difference), soft_wrap=True, markup=False)
    out.print(f"{len(differences)} differences" if differences else "no differences")
    raise typer.Exit(1 if differences else 0)


@app.command()
def serve(
    contestant: Annotated[str, typer.Argument(help="A name from `sidebyside list`.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free port.")] = 0,
    catalog: CatalogOption = None,
) -> None:
    """Run one server with services, a Celery worker and seeded data until it is stopped (Ctrl-C)."""
    with one_line_errors():
        chosen = select(Options(contestants=(contestant,), catalog=str(catalog or CATALOG))).contestants

        from loadtests.machine.environment import open_environment
        from loadtests.machine.ports import free_ports
        from loadtests.machine.processes import await_end, followed

        free_ports([contestant], {contestant: port})
        try:
            with (
                open_environment(seed=0, needs_database=chosen[0].needs_database) as environment,
                environment.servers(chosen, ports={contestant: port}, with_workers=True) as endpoints,
            ):
                server = endpoints[contestant]
                url = f"http://127.0.0.1:{server.port}"
                if chosen[0].needs_database:  # a shop, and not one route without a framework
                    err.print(_WELCOME.format(url=url), markup=False, highlight=False, soft_wrap=True)
                print(f"ready {url}", flush=True)
                with followed(server.log, server.pid, sys.stderr):
                    await_end(server.pid)
        except Stopped:
            return
        raise SuiteError(f"{contestant} ended by itself")
