//! The causes of each case of `DIR/cases.json`, as CSV: case, kind, rank, cause.

use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Context as _, bail};

use crate::cause::picture::Place;
use crate::cause::{Cause, Picture, Ranking, What, rank};
use crate::cli::args::CausesArgs;

mod read;

use read::Case;

/// Ranks written of one answer.
const MOST: usize = 20;

pub fn run(args: &CausesArgs) -> color_eyre::Result<ExitCode> {
    let table = table(&args.data)?;
    std::fs::write(&args.out, table)
        .wrap_err_with(|| format!("{}: cannot be written", args.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn table(data: &Path) -> color_eyre::Result<String> {
    let (cases, mut reader) = read::cases(data)?;
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["case", "kind", "rank", "cause"])?;
    for case in &cases {
        let picture = reader
            .picture(case)
            .wrap_err_with(|| format!("case {}", case.id))?;
        let ranking = rank(&picture);
        for kind in &case.kinds {
            let names = match kind.as_str() {
                "service" => named(&picture, &ranking.places, &case.services),
                "change" => named(&picture, &ranking.changes, &case.candidates),
                "metric" => series(&picture, &ranking, case),
                other => bail!("case {}: {other} is not asked for anywhere", case.id),
            };
            for (at, name) in names.iter().take(MOST).enumerate() {
                out.write_record([&case.id, kind, &(at + 1).to_string(), name])?;
            }
        }
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

/// Names of the causes that are candidates, most likely first.
fn named(picture: &Picture, causes: &[Cause], candidates: &[String]) -> Vec<String> {
    let name = |cause: &Cause| match cause.what {
        What::Object(at) => picture.objects.get(at).cloned(),
        What::Change(at) => picture.changes.get(at).map(|c| c.id.clone()),
        What::None => Some("none".to_owned()),
    };
    let names = causes.iter().filter_map(name);
    names.filter(|n| candidates.contains(n)).collect()
}

fn series(picture: &Picture, ranking: &Ranking, case: &Case) -> Vec<String> {
    let series = ranking
        .series
        .iter()
        .filter_map(|at| picture.series.get(*at));
    let names = series.filter_map(|s| match s.place {
        Place::Object(at) => {
            let object = picture.objects.get(at)?;
            let asked = case.services.contains(object);
            asked.then(|| format!("{object}|{}", s.name))
        }
        Place::Call(..) => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests;
