//! Reads the XML of `nvidia-smi -q -x`, whatever its version (v10 to v13): elements are known by
//! their paths, and those that are not known are passed over.
//!
//! What stands for "no value" (`N/A`, `[Not Supported]`, `Unknown Error`, `[GPU requires reset]`,
//! words of any kind) is no number with its unit, and so never a value.

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use super::told::{self, Told};
use crate::model::text::clean;

const ROOT: &str = "nvidia_smi_log";
/// No output of it is nested as deep.
const DEPTH: usize = 16;
/// Cards of one node, parts of a card, processes of either: more is not what the command prints.
const CARDS: usize = 64;
const PARTS: usize = 32;
const PROCESSES: usize = 512;
/// Bytes of one value.
const VALUE: usize = 200;

/// What one run told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    pub driver: String,
    pub cuda: String,
    pub cards: Vec<Card>,
}

/// One card. Empty text: not told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    pub uuid: String,
    pub bus: String,
    pub model: String,
    /// Name of the series, and its value.
    pub told: Told,
    pub parts: Vec<Part>,
    pub processes: Vec<Process>,
}

/// One MIG instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    pub instance: String,
    pub told: Told,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    pub pid: String,
    pub name: String,
    /// `C` compute, `G` graphics, `C+G`.
    pub kind: String,
    /// MIG instance it runs on.
    pub instance: String,
    pub memory_bytes: Option<f64>,
}

/// Reads a whole output; the error says in a few words what it is instead.
pub fn read(text: &str) -> Result<Read, String> {
    let mut xml = Reader::from_str(text);
    xml.config_mut().check_end_names = true;
    xml.config_mut().expand_empty_elements = true;
    let mut path = Path::default();
    let mut read = Read::default();
    let mut value = String::new();
    loop {
        match xml.read_event() {
            Err(error) => return Err(format!("no whole XML: {}", clean(&error.to_string(), 150))),
            Ok(Event::Start(start)) => {
                path.enter(start.name().into_inner())?;
                value.clear();
                let bus = start.try_get_attribute("id").ok().flatten();
                let bus = bus.and_then(|b| b.normalized_value(XmlVersion::Implicit1_0).ok());
                read.begin(path.below(), bus.as_deref().unwrap_or_default())?;
            }
            Ok(Event::Text(part)) => add(&mut value, &part.xml10_content()),
            Ok(Event::GeneralRef(part)) => {
                let char = part.resolve_char_ref().ok().flatten();
                add(
                    &mut value,
                    char.map_or_else(|| named(&part), String::from).as_str(),
                );
            }
            Ok(Event::End(_)) => {
                read.take(path.below(), &clean(value.trim(), VALUE));
                value.clear();
                path.leave();
            }
            Ok(Event::Eof) if path.is_left() => return Ok(read),
            Ok(Event::Eof) => return Err("it ends in the middle".into()),
            Ok(_) => {}
        }
    }
}

fn named(part: &str) -> String {
    let known = quick_xml::escape::resolve_xml_entity(part);
    known.unwrap_or_default().to_owned()
}

fn add(value: &mut String, more: &str) {
    let room = VALUE.saturating_sub(value.len());
    value.extend(more.chars().take(room));
}

/// Where the reader stands: `nvidia_smi_log/gpu/clocks/sm_clock`.
#[derive(Default)]
struct Path {
    text: String,
    depth: usize,
    left: bool,
}

impl Path {
    fn enter(&mut self, name: &str) -> Result<(), String> {
        if self.depth == 0 && (name != ROOT || self.left) {
            return Err(format!("it begins with <{}>", clean(name, 60)));
        }
        if self.depth == DEPTH || name.len() > VALUE {
            return Err("it is nested too deep".into());
        }
        if self.depth > 0 {
            self.text.push('/');
        }
        self.text.push_str(name);
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        let end = self.text.rfind('/').unwrap_or(0);
        self.text.truncate(end);
        self.depth = self.depth.saturating_sub(1);
        self.left = self.depth == 0;
    }

    /// Below the root.
    fn below(&self) -> &str {
        let rest = self.text.strip_prefix(ROOT).unwrap_or_default();
        rest.strip_prefix('/').unwrap_or_default()
    }

    fn is_left(&self) -> bool {
        self.left
    }
}

const PART: &str = "mig_devices/mig_device";
const PROCESS: &str = "processes/process_info";

impl Read {
    fn begin(&mut self, path: &str, bus: &str) -> Result<(), String> {
        if path == "gpu" {
            if self.cards.len() == CARDS {
                return Err(format!("it tells of more than {CARDS} cards"));
            }
            self.cards.push(Card {
                bus: clean(bus, VALUE),
                ..Card::default()
            });
        }
        let (Some(card), Some(below)) = (self.cards.last_mut(), path.strip_prefix("gpu/")) else {
            return Ok(());
        };
        match below {
            PART if card.parts.len() == PARTS => Err(format!("more than {PARTS} parts of a card")),
            PROCESS if card.processes.len() == PROCESSES => {
                Err(format!("more than {PROCESSES} processes on a card"))
            }
            PART => {
                card.parts.push(Part::default());
                Ok(())
            }
            PROCESS => {
                card.processes.push(Process::default());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, path: &str, value: &str) {
        match path {
            "driver_version" => known(&mut self.driver, value),
            "cuda_version" => known(&mut self.cuda, value),
            _ => {}
        }
        if let (Some(card), Some(below)) = (self.cards.last_mut(), path.strip_prefix("gpu/")) {
            card.take(below, value);
        }
    }
}

impl Card {
    fn take(&mut self, path: &str, value: &str) {
        let inside = |outer: &str| path.strip_prefix(outer)?.strip_prefix('/');
        if let (Some(part), Some(below)) = (self.parts.last_mut(), inside(PART)) {
            match below {
                "gpu_instance_id" => known(&mut part.instance, value),
                below => told::take(&mut part.told, below, value),
            }
        } else if let (Some(process), Some(below)) = (self.processes.last_mut(), inside(PROCESS)) {
            match below {
                "pid" => known(&mut process.pid, value),
                "process_name" => known(&mut process.name, value),
                "type" => known(&mut process.kind, value),
                "gpu_instance_id" => known(&mut process.instance, value),
                "used_memory" => process.memory_bytes = told::bytes(value),
                _ => {}
            }
        } else {
            match path {
                "uuid" => known(&mut self.uuid, value),
                "product_name" => known(&mut self.model, value),
                path => told::take(&mut self.told, path, value),
            }
        }
    }
}

/// A text that says something; what stands in brackets or says `N/A` does not.
fn known(place: &mut String, value: &str) {
    let nothing = value.eq_ignore_ascii_case("n/a") || value.starts_with('[');
    if !nothing {
        value.clone_into(place);
    }
}

#[cfg(test)]
mod tests;
