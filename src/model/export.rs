//! What the operator keeps of a screen: series as a table, as JSON or as a picture.

use super::dashboard::Form;
use super::label::Labels;
use super::sample::Sample;
use super::time::Timestamp;
use super::unit::Unit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Svg,
    Png,
}

impl Format {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

/// To be written to a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub format: Format,
    /// When it was asked for; goes into the name of the file.
    pub at: Timestamp,
    pub series: SeriesExport,
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
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// As the legend calls it.
    pub name: String,
    pub cluster: String,
    pub metric: String,
    pub labels: Labels,
    /// In time order.
    pub points: Vec<Sample>,
}
