"""The command `simulate`: a site's logs with the truth about them."""

from __future__ import annotations

import json

import click

import cmgtrail as package


def _list_faults(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    for fault in package.simulated_faults():
        click.echo(f"{fault['id']:<38} {fault['scope']:<7} {fault['stage']:<18} {fault['proof']}")
    context.exit()


@click.command()
@click.option("--out", metavar="DIR", required=True, type=click.Path(), help="Folder to write; it is made.")
@click.option("--site", metavar="FILE", type=click.Path(), help="A site description. Default: a random site.")
@click.option(
    "--clients", metavar="N", type=click.IntRange(min=1), help="Default: those of the site description, else 10."
)
@click.option("--hours", metavar="H", type=float, default=4.0, show_default=True, help="Simulated time.")
@click.option(
    "--rate",
    metavar="R",
    type=float,
    help="Messages of all registered clients together, a second. Default: one in ten minutes from each.",
)
@click.option(
    "--fault",
    "faults",
    metavar="ID[=SHARE]",
    multiple=True,
    help="A fault to inject, such as crl-unreachable=5% or tls-interception=3. Repeatable.",
)
@click.option(
    "--faults",
    "listed",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_faults,
    help="List the faults that can be injected, whom they hit, their stage and how sure their traces are, and end.",
)
@click.option(
    "--skew",
    metavar="SECONDS",
    type=click.IntRange(0, 86_400),
    default=120,
    show_default=True,
    help="Most seconds that a machine's clock is off.",
)
@click.option("--noise", metavar="SHARE|MB", help="Lines that mean nothing: 98% of all bytes, or 200MB.")
@click.option("--retries", is_flag=True, help="ccmsetup tries again after ten minutes.")
@click.option(
    "--start", metavar="T", help="When it begins (2026-11-04T09:00Z). Default: by the seed, with --site this hour."
)
@click.option("--seed", metavar="S", type=click.IntRange(0, 2**64 - 1), default=1, show_default=True)
@click.option("--force", is_flag=True, help="Replace the simulation that lies in DIR.")
@click.option("--no-artefacts", is_flag=True, help="Write no certificates, revocation lists, tokens and join status.")
def simulate(
    *,
    out: str,
    site: str | None,
    clients: int | None,
    hours: float,
    rate: float | None,
    faults: tuple[str, ...],
    skew: int,
    noise: str | None,
    retries: bool,
    start: str | None,
    seed: int,
    force: bool,
    no_artefacts: bool,
) -> int:
    """Write the logs of a simulated site, and the truth about them.

    DIR gets a folder of logs for each machine, artefacts, site.toml, and truth.json with every flow, join and injected
    fault. The same options, --start among them where there is a --site, write the same files. A folder with another
    simulation is refused.

    Exit status: 0 written, 2 could not run.
    """
    summary = package.simulate(
        out,
        site=site,
        clients=clients,
        hours=hours,
        rate=rate,
        faults=faults,
        skew=skew,
        noise=noise,
        retries=retries,
        start=start,
        seed=seed,
        artefacts=not no_artefacts,
        force=force,
    )
    for why in summary["left_out"]:
        click.echo(f"Left out, since it cannot be simulated as it is told: {why}.", err=True)
    click.echo(json.dumps(summary))
    return 0
