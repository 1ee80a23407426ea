//! `farwatch dashboard`: lists them, prints one, makes one of Grafana's.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{WrapErr, eyre};

use super::args::{DashboardArgs, DashboardCommand};
use crate::config::{Config, dashboard, grafana};
use crate::model::dashboard::Origin;

/// Largest file of Grafana that is read.
const MOST_BYTES: u64 = 32 << 20;

pub fn run(config: &Config, args: &DashboardArgs) -> color_eyre::Result<ExitCode> {
    match &args.what {
        DashboardCommand::List => list(config),
        DashboardCommand::Show { name } => show(config, name),
        DashboardCommand::Import { file, out, force } => import(file, out.as_deref(), *force),
    }
}

fn list(config: &Config) -> color_eyre::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for one in config.dashboards.iter() {
        let origin = match &one.origin {
            Origin::BuiltIn => "built in",
            Origin::File(file) => file,
        };
        writeln!(
            out,
            "{:<14} {:>3} panels  {origin}",
            one.name,
            one.panels.len()
        )?;
    }
    drop(out);
    for fault in config.dashboard_faults.iter() {
        eprintln!("farwatch: {fault}");
    }
    Ok(match config.dashboard_faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn show(config: &Config, name: &str) -> color_eyre::Result<ExitCode> {
    let found = config.dashboards.iter().find(|d| *d.name == *name);
    let Some(found) = found else {
        let names: Vec<&str> = config.dashboards.iter().map(|d| &*d.name).collect();
        let hint = match crate::config::load::nearest(name, &names) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("there is {}", names.join(", ")),
        };
        return Err(eyre!("there is no dashboard \"{name}\" ({hint})"));
    };
    // A built-in one has comments that writing it anew would lose.
    let shipped = dashboard::BUILT_IN.iter().find(|(file, _)| *file == name);
    let text = match (shipped, &found.origin) {
        (Some((_, text)), Origin::BuiltIn) => (*text).to_owned(),
        _ => dashboard::write(found)?,
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn import(file: &Path, out: Option<&Path>, force: bool) -> color_eyre::Result<ExitCode> {
    let json = read(file).wrap_err_with(|| format!("{} cannot be read", file.display()))?;
    let imported = grafana::import(&json).wrap_err_with(|| file.display().to_string())?;
    let text = dashboard::write(&imported.dashboard)?;
    match out {
        Some(path) => write(path, &text, force)?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    for note in &imported.notes {
        eprintln!("{note}");
    }
    let taken = imported.dashboard.panels.len();
    eprintln!(
        "\"{}\": {taken} of {} panels, {} variables taken over, {} remarks",
        imported.dashboard.name,
        imported.panels,
        imported.dashboard.variables.len(),
        imported.notes.len()
    );
    Ok(match taken {
        0 => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

fn read(file: &Path) -> color_eyre::Result<String> {
    let mut text = String::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin()
            .take(MOST_BYTES + 1)
            .read_to_string(&mut text)?,
        false => std::fs::File::open(file)?
            .take(MOST_BYTES + 1)
            .read_to_string(&mut text)?,
    };
    if read as u64 > MOST_BYTES {
        return Err(eyre!("it is larger than {} MiB", MOST_BYTES >> 20));
    }
    Ok(text)
}

fn write(path: &Path, text: &str, force: bool) -> color_eyre::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(true);
    match force {
        true => options.create(true),
        false => options.create_new(true),
    };
    let opened = options.open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            eyre!(
                "{} is there already (--force takes its place)",
                path.display()
            )
        }
        _ => eyre!("{} cannot be written: {error}", path.display()),
    })?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
