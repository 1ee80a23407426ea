//! `farwatch export`: an incident, or a range of time of clusters, as one file for another console.

use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{ExportArgs, Start};
use super::headless::Headless;
use super::heard::{self, SIZE};
use super::replay::{self, Recording};
use super::{FAILED, USAGE, record};
use crate::archive::Archive;
use crate::bundle::BundleError;
use crate::config::Config;
use crate::export::handover;
use crate::message::Msg;
use crate::model::archive::Recalled;
use crate::model::handover::Parcel;
use crate::model::talk::Session;
use crate::model::time::Timestamp;
use crate::state::State;
use crate::state::world::World;
use crate::state::world::handover::Wanted;

pub fn run(mut config: Config, args: &ExportArgs) -> color_eyre::Result<ExitCode> {
    if args.out.exists() {
        let out = args.out.display();
        eprintln!("farwatch: {out}: is there already; name another file");
        return Ok(ExitCode::from(USAGE));
    }
    let operator = config.operator.clone();
    let (state, talks) = if let Some(file) = &args.replay {
        match Headless::open(&config, Recording::of(Some(file)), args.at, SIZE) {
            Ok(headless) => {
                let handed = headless.state.world.handover.clone();
                let talks = handed.map(|h| h.talks.clone()).unwrap_or_default();
                (Some(headless.state), talks)
            }
            Err(error) => return Ok(replay::refused(file, &error)),
        }
    } else {
        if let Err(what) = heard::keep_named(&mut config, &args.cluster) {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
        live(config, args)?
    };
    let Some(state) = state else {
        eprintln!("farwatch: stopped");
        return Ok(ExitCode::from(FAILED));
    };
    let wanted = match wanted(&state.world, args) {
        Ok(wanted) => wanted,
        Err(what) => {
            eprintln!("farwatch: {what}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let by = Some(operator.as_ref()).filter(|name| !name.is_empty());
    let talks = talks_about(talks, &wanted);
    let parcel = state.world.parcel(&wanted, by, talks);
    match written(&parcel, &args.out) {
        Ok(bytes) => {
            let out = args.out.display();
            eprintln!("farwatch: {out}: {}, {bytes} bytes", parcel.words());
            for gap in &parcel.handover.gaps {
                eprintln!("  not in it: {gap}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(replay::refused(&args.out, &error)),
    }
}

/// Hears the clusters, and reads from the archive what was known and said of their incidents.
fn live(config: Config, args: &ExportArgs) -> color_eyre::Result<(Option<State>, Vec<Session>)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let config = Arc::new(config);
    let heard = runtime.block_on(async {
        let heard = heard::hear(Arc::clone(&config), args.listen).await?;
        let Some((state, fleet)) = heard else {
            return Ok(None);
        };
        heard::end(fleet).await;
        Ok::<_, color_eyre::Report>(Some(state))
    })?;
    let Some(mut state) = heard else {
        return Ok((None, Vec::new()));
    };
    let mut talks = Vec::new();
    let file = config.archive.file.clone();
    if let Some(file) = file.filter(|file| config.archive.enabled && file.exists()) {
        match remembered(&file, state.world.now) {
            Ok((begun, found)) => {
                state.update(Msg::Recalled(Box::new(begun)));
                talks = found;
            }
            Err(why) => eprintln!("farwatch: {}: not read: {why}", file.display()),
        }
    }
    Ok((Some(state), talks))
}

/// What the archive holds of incidents that are open or ended lately, and all its conversations
/// about incidents.
fn remembered(file: &Path, now: Timestamp) -> Result<(Recalled, Vec<Session>), String> {
    let archive = Archive::open(file).map_err(|e| e.to_string())?;
    let begun = archive.begun(now).map_err(|e| e.to_string())?;
    let heads = archive.sessions("").map_err(|e| e.to_string())?;
    let about = heads.into_iter().filter(|head| head.incident.is_some());
    let talks = about.filter_map(|head| archive.session(head.id).ok().flatten());
    Ok((begun, talks.collect()))
}

/// Those about the incident; of a range, all about some incident.
fn talks_about(mut talks: Vec<Session>, wanted: &Wanted) -> Vec<Session> {
    if wanted.incident.is_some() {
        talks.retain(|t| t.head.incident == wanted.incident);
    }
    talks
}

fn wanted(world: &World, args: &ExportArgs) -> Result<Wanted, String> {
    if let Some(named) = &args.incident {
        let number = named.to_uppercase();
        let number = number.trim_start_matches("INC-").parse::<u32>().ok();
        let found = world.incidents.iter().find(|i| Some(i.number) == number);
        let found = found.ok_or_else(|| match world.incidents.len() {
            0 => format!("there is no incident {named:?}: none was found"),
            _ => {
                let mut numbers: Vec<u32> = world.incidents.iter().map(|i| i.number).collect();
                numbers.sort_unstable();
                let all = numbers.iter().map(|n| format!("INC-{n}"));
                let all = all.collect::<Vec<_>>().join(", ");
                format!("there is no incident {named:?}; there are {all}")
            }
        })?;
        return Ok(world.wanted_of(found));
    }
    let known = || world.clusters.iter();
    let is_known = |name: &&String| known().all(|c| *c.name != ***name);
    if let Some(name) = args.cluster.iter().find(is_known) {
        let names = known().map(|c| c.name.to_string()).collect::<Vec<_>>();
        return Err(format!(
            "there is no cluster {name:?}; there are {}",
            names.join(", ")
        ));
    }
    let chosen = |name: &str| args.cluster.is_empty() || args.cluster.iter().any(|c| c == name);
    let from = args.from.map(|start| moment(world, start));
    let from = from.ok_or("name what to export: --incident INC-3, or --from and --to")?;
    let to = args.to.map_or(world.now, |start| moment(world, start));
    if from >= to {
        return Err("--from has to be before --to".into());
    }
    Ok(Wanted {
        incident: None,
        clusters: known().filter(|c| chosen(&c.name)).map(|c| c.id).collect(),
        from,
        to: to.min(world.now),
    })
}

/// A distance counts from the start of a recording; live, back from now.
fn moment(world: &World, start: Start) -> Timestamp {
    match (&world.replay, start) {
        (Some(replay), start) => start.time(replay.start),
        (None, Start::At(at)) => at,
        (None, Start::After(back)) => {
            let back = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
            Timestamp(world.now.0.saturating_sub(back))
        }
    }
}

/// Into a file that is new and its owner's alone; gives its size.
fn written(parcel: &Parcel, out: &Path) -> Result<u64, BundleError> {
    let (file, part) = record::create(out)?;
    let ended = handover::write(parcel, BufWriter::new(file)).and_then(|out| {
        let file = out.into_inner().map_err(|e| e.into_error())?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    let kept = ended.and_then(|bytes| {
        record::keep(&part, out)?;
        Ok(bytes)
    });
    if kept.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    kept
}
