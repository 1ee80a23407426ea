//! `farwatch export`: an incident, or a range of time of clusters, as one file for another console.

use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

use super::args::{ExportArgs, Start};
use super::{known, record, replay};
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

pub fn run(config: Config, args: &ExportArgs) -> color_eyre::Result<ExitCode> {
    if args.out.exists() {
        let out = args.out.display();
        return Ok(known::wrong(&format!(
            "{out}: is there already; name another file"
        )));
    }
    if args.incident.is_none() && args.from.is_none() {
        return Ok(known::wrong("say --incident INC-N, or --from TIME"));
    }
    let operator = config.operator.clone();
    let mut state = match known::state(config, &args.of)? {
        Ok(state) => state,
        Err(code) => return Ok(code),
    };
    let talks = talks(&mut state);
    let wanted = match wanted(&state.world, args) {
        Ok(wanted) => wanted,
        Err(what) => return Ok(known::wrong(&what)),
    };
    let by = Some(operator.as_ref()).filter(|name| !name.is_empty());
    let talks = talks_about(talks, &wanted);
    let mut gathering = state.world.gather(wanted);
    while let Some(work) = state.world.gather_on(&mut gathering) {
        work.run();
    }
    let parcel = state.world.parcel(gathering, by, talks);
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

/// Conversations about incidents: of a recording those that were handed over with it; else what
/// the archive holds, which also tells what was said of the incidents.
fn talks(state: &mut State) -> Vec<Session> {
    if state.world.replay.is_some() {
        let handed = state.world.handover.as_ref();
        return handed.map(|h| h.talks.clone()).unwrap_or_default();
    }
    let archive = state.config.archive.clone();
    let file = archive.file.filter(|file| archive.enabled && file.exists());
    let Some(file) = file else { return Vec::new() };
    match remembered(&file, state.world.now) {
        Ok((begun, found)) => {
            state.update(Msg::Recalled(Box::new(begun)));
            found
        }
        Err(why) => {
            eprintln!("farwatch: {}: not read: {why}", file.display());
            Vec::new()
        }
    }
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
        return Ok(world.wanted_of(known::incident(world, named)?));
    }
    let from = args.from.map(|start| moment(world, start));
    let from = from.ok_or("say --incident INC-N, or --from TIME")?;
    let to = args.to.map_or(world.now, |start| moment(world, start));
    if from >= to {
        return Err("--from has to be before --to".into());
    }
    Ok(Wanted {
        incident: None,
        clusters: known::chosen(world, &args.of),
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
