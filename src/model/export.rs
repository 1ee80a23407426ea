//! What the operator keeps of a screen: series over time as a table, as JSON or as a picture, lists
//! as a table or as JSON, and log lines.

use std::fmt;
use std::sync::Arc;

use super::dashboard::Form;
use super::handover::Parcel;
use super::label::Labels;
use super::log::LineRef;
use super::sample::Sample;
use super::time::Timestamp;
use super::unit::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Svg,
    Png,
    /// Log lines as they were written.
    Text,
    Markdown,
    /// A recording, to be replayed elsewhere.
    Recording,
}

impl Format {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Text => "log",
            Self::Markdown => "md",
            Self::Recording => "fwr",
        }
    }
}

/// To be written to a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub format: Format,
    /// When it was asked for; goes into the name of the file.
    pub at: Timestamp,
    pub kept: Kept,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    Series(SeriesExport),
    Lines(LinesExport),
    Table(TableExport),
    Text(TextExport),
    /// What is handed over.
    Parcel(Box<Parcel>),
}

/// Text that is whole as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct TextExport {
    /// What it is, in one word; goes into the name of the file.
    pub name: String,
    pub text: String,
}

/// A list as one screen showed it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableExport {
    pub title: String,
    pub query: String,
    /// Who answered, when, and what is missing.
    pub origin: String,
    /// Each with a name of its own.
    pub columns: Vec<String>,
    /// Each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Not known.
    #[default]
    Nothing,
    Text(String),
    Number(f64),
    Time(Timestamp),
}

impl Cell {
    /// Texts that say nothing are not known.
    pub fn text(text: &str) -> Self {
        match text.is_empty() {
            true => Self::Nothing,
            false => Self::Text(text.to_owned()),
        }
    }
}

/// Takes a line with the name of its cluster.
pub type TakeLine<'a> = &'a mut dyn FnMut(&str, LineRef<'_>);

/// Log lines in time order. They are gathered while they are written, off the loop: there may be a
/// million.
#[derive(Clone)]
pub struct LinesExport {
    /// The cluster is told with each line.
    pub several: bool,
    each: Arc<dyn Fn(TakeLine<'_>) + Send + Sync>,
}

impl LinesExport {
    /// `each` gives all lines, oldest first.
    pub fn new(several: bool, each: impl Fn(TakeLine<'_>) + Send + Sync + 'static) -> Self {
        Self {
            several,
            each: Arc::new(each),
        }
    }

    pub fn each(&self, take: TakeLine<'_>) {
        (self.each)(take);
    }
}

impl PartialEq for LinesExport {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.each, &other.each)
    }
}

impl fmt::Debug for LinesExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinesExport")
    }
}

/// Series as one screen showed them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesExport {
    /// What it shows, in words.
    pub title: String,
    pub query: String,
    /// Which clusters answered, when, and what is missing: no picture without its source.
    pub origin: String,
    pub unit: Unit,
    pub form: Form,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Distance of points, milliseconds; 0: as they came.
    pub step_ms: u32,
    pub series: Vec<Exported>,
    /// The same as a heat map; pictures show that in place of curves.
    pub heat: Option<HeatExport>,
}

/// Histograms over time: a row a bucket, a column a slot of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatExport {
    /// Upper bounds of the buckets, ascending; the last one may be infinite.
    pub bounds: Vec<f64>,
    pub unit: Unit,
    /// What each bucket alone holds; `None`: nothing is known.
    pub cells: Vec<Vec<Option<f64>>>,
    pub most: f64,
    /// What a cell counts, in words.
    pub counts: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// As the legend calls it.
    pub name: String,
    pub cluster: String,
    pub metric: String,
    pub labels: Labels,
    /// In time order; shared with the screen, there may be many.
    pub points: Arc<Vec<Sample>>,
}
