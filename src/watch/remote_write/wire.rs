//! What travels: protobuf in one block of snappy.

use prost::Message;

use super::Sample;

/// `prometheus.WriteRequest` of remote-write 1.0.
#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Point>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Point {
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// The body of a request; `None`: there is more than snappy's block can hold.
pub fn body(samples: &[Sample]) -> Option<Vec<u8>> {
    let timeseries = samples.iter().map(series).collect();
    let whole = WriteRequest { timeseries }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&whole).ok()
}

fn series(sample: &Sample) -> TimeSeries {
    let labels = sample.labels.iter().filter(|(_, value)| !value.is_empty());
    TimeSeries {
        labels: labels
            .map(|(name, value)| Label {
                name: (*name).to_owned(),
                value: value.clone(),
            })
            .collect(),
        samples: vec![Point {
            value: sample.value,
            timestamp: sample.at.0,
        }],
    }
}
