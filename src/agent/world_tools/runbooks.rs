//! Runbooks in words: which fit, and what one says.

use super::Told;
use crate::agent::tools::args::runbook::{FindRunbook, ReadRunbook};
use crate::incident::Incident;
use crate::state::world::World;

/// Found by words at most.
const FOUND: usize = 8;

pub(super) fn find(world: &World, args: &FindRunbook, told: &mut Told) -> Result<(), String> {
    if let Some(query) = &args.query {
        let found = world.runbooks.search(query, FOUND);
        if found.is_empty() {
            told.line(format!("no runbook says anything of {query:?}"));
        }
        let rows: Vec<String> = found
            .iter()
            .map(|r| format!("{}: {}", r.id, r.title))
            .collect();
        told.rows(rows, FOUND);
        return Ok(());
    }
    let incidents: Vec<&Incident> = match &args.incident {
        Some(words) => vec![numbered(world, words)?],
        None => world.incidents.iter().filter(|i| i.is_live()).collect(),
    };
    for incident in incidents {
        told.line(format!("INC-{} {}", incident.number, incident.title));
        let fitting = world.runbooks_for(incident);
        if fitting.is_empty() {
            told.line("  no runbook fits; search one by words");
        }
        let rows: Vec<String> = fitting
            .iter()
            .map(|f| format!("  {}: {} ({})", f.runbook.id, f.runbook.title, f.why))
            .collect();
        told.rows(rows, FOUND);
    }
    if told.text.is_empty() {
        told.line("no incident is open; search a runbook by words");
    }
    Ok(())
}

fn numbered<'a>(world: &'a World, words: &str) -> Result<&'a Incident, String> {
    let upper = words.trim().to_uppercase();
    let number = upper.trim_start_matches("INC-").parse::<u32>();
    let found = number
        .ok()
        .and_then(|n| world.incidents.iter().find(|i| i.number == n));
    found.ok_or_else(|| format!("there is no incident {words:?}; list_incidents names them"))
}

pub(super) fn read(world: &World, args: &ReadRunbook, told: &mut Told) -> Result<(), String> {
    let Some(runbook) = world.runbooks.get(args.id.trim()) else {
        let near: Vec<&str> = world
            .runbooks
            .search(&args.id, FOUND)
            .iter()
            .map(|r| r.id.as_str())
            .collect();
        return Err(match near.is_empty() {
            true => format!(
                "there is no runbook {:?}; find_runbook searches them",
                args.id
            ),
            false => format!(
                "there is no runbook {:?}; near it are {}",
                args.id,
                near.join(", ")
            ),
        });
    };
    told.line(format!("runbook {}: {}", runbook.id, runbook.title));
    told.line(&runbook.body);
    told.rows = 1;
    Ok(())
}
